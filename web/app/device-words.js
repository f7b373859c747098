import { explain } from './media.js';

/** @import { Kind } from './media.js' */

/**
 * Why a device is not there. `start`: it could not be had, in `words`. `gone`: it ended. `paused`: it gives nothing.
 * `failed`: it could not be had again. `absent`: there has never been one.
 *
 * @typedef {object} Lack
 * @property {'start' | 'gone' | 'paused' | 'failed' | 'absent'} why
 * @property {string | null} deviceId that it had
 * @property {string} [words]
 * @property {string} [error] name of the exception
 * @property {PermissionState} [permission] as far as the browser tells, if the device was there once
 */

/** @type {Record<Kind, { name: string, permission: string }>} */
export const WORDS = {
  audio: { name: 'Microphone', permission: 'microphone' },
  video: { name: 'Camera', permission: 'camera' },
};

/**
 * What is missing, what that means, and what to do.
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
  if (permission === 'denied') return `${name} is not allowed for this page any more. The browser’s settings for this site can allow it again.`;
  if (why === 'gone') return `${name} has stopped.${permission === 'granted' ? ' It is used again as soon as it returns.' : ''}`;
  if (why === 'paused') return `${name} gives nothing at the moment: it may be switched off or used elsewhere.`;
  if (why === 'failed') return explain(error ?? '', kind);
  return `${name} is missing.`;
}

/** @param {Map<Kind, Lack>} lacks */
function consequence(lacks) {
  if (lacks.size > 1) return 'The others neither see nor hear you.';
  return lacks.has('video') ? 'The others do not see you.' : 'The others do not hear you.';
}
