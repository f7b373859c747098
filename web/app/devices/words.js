import { INSECURE, UNSUPPORTED } from './media.js';

/** @import { Kind } from './media.js' */

/**
 * Why a device is missing. `start`: it could not be opened. `gone`: it ended. `paused`: it sends nothing. `failed`: it could
 * not be opened in the call.
 *
 * @typedef {object} Lack
 * @property {'start' | 'gone' | 'paused' | 'failed'} why
 * @property {string | null} deviceId of the device that ended
 * @property {string} [error] name of the exception
 * @property {PermissionState} [permission] if the browser tells
 */

/** @type {Record<Kind, string>} */
export const NAMES = { audio: 'Microphone', video: 'Camera' };

/**
 * What is missing, what that means, and what to do about it.
 *
 * @param {Map<Kind, Lack>} lacks
 * @param {readonly Kind[]} wanted
 */
export function describe(lacks, wanted) {
  const all = [...lacks];
  if (all.length === 0) return '';
  const [[, first], second] = all;
  const alike = second && first.error !== undefined && first.error === second[1].error;
  const sentences = alike ? [explain(first.error ?? '', ['video', 'audio'], first.permission)] : all.map(([kind, lack]) => sentence(kind, lack));
  return [...sentences, all.every(([, { why }]) => why === 'start') ? beginning(lacks, wanted) : consequence(lacks)].join(' ');
}

/**
 * @param {Kind} kind
 * @param {Lack} lack
 */
function sentence(kind, { why, error, permission }) {
  const name = `The ${NAMES[kind].toLowerCase()}`;
  if (why === 'failed' || why === 'start') return explain(error ?? '', [kind], permission);
  if (permission === 'denied') return `${name} is no longer allowed for this page. You can allow it again in the browser’s settings for this site.`;
  if (why === 'gone') return `${name} has stopped.${permission === 'granted' ? ' It will be used again as soon as it returns.' : ''}`;
  return `${name} is not sending anything: it may be switched off or in use elsewhere.`;
}

/**
 * @param {string} name of the exception
 * @param {readonly Kind[]} kinds
 * @param {PermissionState} [permission]
 */
export function explain(name, kinds, permission) {
  if (name === INSECURE) return 'Browsers allow camera and microphone only on https pages.';
  if (name === UNSUPPORTED) return 'This browser gives pages no access to camera or microphone.';
  const both = kinds.length > 1;
  const what = both ? 'Camera and microphone' : `The ${NAMES[kinds[0]].toLowerCase()}`;
  const [are, them] = both ? ['are', 'them'] : ['is', 'it'];
  if (name === 'NotAllowedError') return `${what} ${are} not allowed for this page.${permission === 'denied' ? ` You can allow ${them} in the browser’s settings for this site.` : ''}`;
  if (name === 'NotFoundError') return both ? 'No camera and no microphone were found.' : `No ${NAMES[kinds[0]].toLowerCase()} was found.`;
  if (name === 'NotReadableError' || name === 'AbortError') return `${what} ${are} in use by another program.`;
  return `${what} could not be opened (${name}).`;
}

/**
 * @param {Map<Kind, Lack>} lacks
 * @param {readonly Kind[]} wanted
 */
function beginning(lacks, wanted) {
  if (lacks.size < wanted.length) return lacks.has('video') ? 'Others can hear you but not see you.' : 'Others can see you but not hear you.';
  return `You can still ${wanted.includes('video') ? 'watch' : 'listen'} and chat.`;
}

/** @param {Map<Kind, Lack>} lacks */
function consequence(lacks) {
  if (lacks.size > 1) return 'Others can neither see nor hear you.';
  return lacks.has('video') ? 'Others cannot see you.' : 'Others cannot hear you.';
}
