import { say } from '../languages/say.js';
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
  const denied = second && all.every(([, { error = 'NotAllowedError', permission }]) => permission === 'denied' && error === 'NotAllowedError');
  const alike = second && first.error !== undefined && first.error === second[1].error;
  const sentences = denied ? [say('both-denied')] : alike ? [explain(first.error ?? '', ['video', 'audio'], first.permission)] : all.map(([kind, lack]) => sentence(kind, lack));
  return [...sentences, all.every(([, { why }]) => why === 'start') ? beginning(lacks, wanted) : consequence(lacks)].join(' ');
}

/**
 * @param {Kind} kind
 * @param {Lack} lack
 */
function sentence(kind, { why, error, permission }) {
  if (why === 'failed' || why === 'start') return explain(error ?? '', [kind], permission);
  if (permission === 'denied') return say(`${kind}-withdrawn`);
  if (why === 'gone') return say(permission === 'granted' ? `${kind}-returns` : `${kind}-gone`);
  return say(`${kind}-silent`);
}

/**
 * @param {string} name of the exception
 * @param {readonly Kind[]} kinds
 * @param {PermissionState} [permission]
 */
export function explain(name, kinds, permission) {
  if (name === INSECURE) return say('https-only');
  if (name === UNSUPPORTED) return say('no-media');
  const what = kinds.length > 1 ? 'both' : kinds[0];
  if (name === 'NotAllowedError') return say(permission === 'denied' ? `${what}-denied` : `${what}-not-allowed`);
  if (name === 'NotFoundError') return say(`${what}-not-found`);
  if (name === 'NotReadableError' || name === 'AbortError') return say(`${what}-in-use`);
  return say(`${what}-not-opened`, { error: name });
}

/**
 * @param {Map<Kind, Lack>} lacks
 * @param {readonly Kind[]} wanted
 */
function beginning(lacks, wanted) {
  if (lacks.size < wanted.length) return say(lacks.has('video') ? 'heard-not-seen' : 'seen-not-heard');
  return say(wanted.includes('video') ? 'can-watch' : 'can-listen');
}

/** @param {Map<Kind, Lack>} lacks */
function consequence(lacks) {
  if (lacks.size > 1) return say('neither-seen-nor-heard');
  return say(lacks.has('video') ? 'not-seen' : 'not-heard');
}
