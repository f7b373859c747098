import { explain } from './media.js';

/** @import { Kind } from './media.js' */

/**
 * Why a device is missing. `start`: it could not be opened, see `words`. `gone`: it ended. `paused`: it sends nothing.
 * `failed`: it could not be opened again. `absent`: there has never been one.
 *
 * @typedef {object} Lack
 * @property {'start' | 'gone' | 'paused' | 'failed' | 'absent'} why
 * @property {string | null} deviceId of the device that ended
 * @property {string} [words]
 * @property {string} [error] name of the exception
 * @property {PermissionState} [permission] if the browser tells
 */

/** @type {Record<Kind, { name: string, permission: string }>} */
export const WORDS = {
  audio: { name: 'Microphone', permission: 'microphone' },
  video: { name: 'Camera', permission: 'camera' },
};

/**
 * What is missing, what that means, and what to do about it.
 *
 * @param {Map<Kind, Lack>} lacks
 */
export function describe(lacks) {
  const all = [...lacks];
  if (all.length === 0) return '';
  if (all.every(([, { why }]) => why === 'start')) return all[0][1].words ?? '';
  return [...all.map(([kind, lack]) => sentence(kind, lack)), consequence(lacks)].join(' ');
}

/**
 * @param {Kind} kind
 * @param {Lack} lack
 */
function sentence(kind, { why, error, permission }) {
  const name = `The ${WORDS[kind].name.toLowerCase()}`;
  if (permission === 'denied') return `${name} is no longer allowed for this page. You can allow it again in the browser’s settings for this site.`;
  if (why === 'gone') return `${name} has stopped.${permission === 'granted' ? ' It will be used again as soon as it returns.' : ''}`;
  if (why === 'paused') return `${name} is not sending anything: it may be switched off or in use elsewhere.`;
  if (why === 'failed') return explain(error ?? '', kind);
  return `${name} is missing.`;
}

/** @param {Map<Kind, Lack>} lacks */
function consequence(lacks) {
  if (lacks.size > 1) return 'Others can neither see nor hear you.';
  return lacks.has('video') ? 'Others cannot see you.' : 'Others cannot hear you.';
}
