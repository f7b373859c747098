/** @typedef {{ mimeType: string, extension: string }} Format */

/**
 * What plays almost everywhere first: MP4 where the browser has its encoders (Safari; Chrome where the system has them), else WebM. Both
 * are written in pieces that play even if the last one is missing.
 *
 * @type {readonly Format[]}
 */
const FORMATS = [
  { mimeType: 'video/mp4;codecs=avc1.42E01F,mp4a.40.2', extension: 'mp4' },
  { mimeType: 'video/webm;codecs=vp8,opus', extension: 'webm' },
  { mimeType: 'video/webm', extension: 'webm' },
  { mimeType: 'video/mp4', extension: 'mp4' },
];

/**
 * The format to record in; null if there is none.
 *
 * @param {(mimeType: string) => boolean} isSupported
 */
export function formatOf(isSupported) {
  return FORMATS.find(({ mimeType }) => isSupported(mimeType)) ?? null;
}

/** The key of the words that say why this browser cannot record; null if it can. */
export function whyNot(browser = globalThis) {
  if (!browser.isSecureContext) return 'record-https';
  const { MediaRecorder, HTMLCanvasElement, AudioContext, navigator } = browser;
  const hasParts = MediaRecorder && AudioContext && 'captureStream' in (HTMLCanvasElement?.prototype ?? {});
  if (!hasParts || !formatOf((type) => MediaRecorder.isTypeSupported(type))) return 'record-unsupported';
  return typeof navigator?.storage?.getDirectory === 'function' ? null : 'record-nowhere';
}
