/** @import { MediaChoice } from './address.js' */

const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 } };

/**
 * What was got, and what has to be said about what was not.
 *
 * @typedef {'audio' | 'video'} Kind
 * @typedef {{ stream: MediaStream | null, notice: string }} Media
 */

/**
 * Camera and microphone as far as they can be had. Never fails: a call without them is still a call.
 *
 * @param {MediaChoice} choice
 * @param {MediaDevices | undefined} [devices] missing on plain http outside localhost
 * @returns {Promise<Media>}
 */
export async function openMedia(choice, devices = navigator.mediaDevices) {
  if (choice === 'none') return { stream: null, notice: '' };
  if (!devices?.getUserMedia) {
    const why = globalThis.isSecureContext ? 'This browser gives pages no camera or microphone.' : 'Browsers allow camera and microphone only on https pages.';
    return { stream: null, notice: `${why} You can still chat.` };
  }
  try {
    return { stream: await devices.getUserMedia(constraints(choice)), notice: '' };
  } catch (error) {
    const reason = explain(/** @type {DOMException} */ (error).name, choice);
    if (choice === 'both' && !isRefusal(error)) return withoutCamera(devices, reason);
    return { stream: null, notice: `${reason} You can still ${choice === 'audio' ? 'listen' : 'watch'} and chat.` };
  }
}

/**
 * @param {MediaDevices} devices
 * @param {string} reason
 * @returns {Promise<Media>}
 */
async function withoutCamera(devices, reason) {
  const { stream } = await openMedia('audio', devices);
  return { stream, notice: `${reason} ${stream ? 'You are heard, but not seen.' : 'You can still watch and chat.'}` };
}

/** @param {MediaChoice} choice */
function constraints(choice) {
  return { audio: true, video: choice === 'both' && PICTURE };
}

/**
 * One device, in place of one that is gone. Rejects if it cannot be had.
 *
 * @param {MediaDevices} devices
 * @param {Kind} kind
 * @param {string} [deviceId]
 */
export function openOne(devices, kind, deviceId) {
  const exact = deviceId ? { deviceId: { exact: deviceId } } : {};
  return devices.getUserMedia(kind === 'video' ? { video: { ...PICTURE, ...exact } } : { audio: exact });
}

/** Asking a second time for less would only be a nuisance. @param {unknown} error */
function isRefusal(error) {
  return /** @type {DOMException} */ (error).name === 'NotAllowedError';
}

/**
 * @param {string} name of the exception
 * @param {MediaChoice | Kind} choice what was asked for
 */
export function explain(name, choice) {
  const what = choice === 'both' ? 'Camera and microphone' : choice === 'video' ? 'The camera' : 'The microphone';
  const they = choice === 'both' ? 'are' : 'is';
  if (name === 'NotAllowedError') return `${what} ${they} not allowed for this page.`;
  if (name === 'NotFoundError') return choice === 'both' || choice === 'video' ? 'No camera was found.' : 'No microphone was found.';
  if (name === 'NotReadableError') return `${what} ${they} in use by another program.`;
  return `${what} could not be opened (${name}).`;
}
