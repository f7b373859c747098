/** @import { Kind } from './media.js' */

/**
 * What pages tell each other about their devices, in a message of type `data` (docs/page.md):
 * `{"media": {"camera": "missing", "microphone": "live"}}`. A frozen picture does not tell: the network may be the reason.
 *
 * @typedef {'live' | 'missing'} DeviceState
 * @typedef {{ camera: DeviceState, microphone: DeviceState }} DeviceNews
 */

/** @type {(keyof DeviceNews)[]} */
const NAMES = ['camera', 'microphone'];
/** @type {readonly string[]} */
const STATES = ['live', 'missing'];
/** @type {DeviceNews} */
export const ALL_LIVE = Object.freeze({ camera: 'live', microphone: 'live' });

/**
 * @param {Kind[]} missing
 * @returns {{ media: DeviceNews }}
 */
export function deviceNews(missing) {
  const state = (/** @type {Kind} */ kind) => (missing.includes(kind) ? 'missing' : 'live');
  return { media: { camera: state('video'), microphone: state('audio') } };
}

/**
 * Null for anything else: applications send data of their own.
 *
 * @param {unknown} data
 * @returns {DeviceNews | null}
 */
export function readDeviceNews(data) {
  const media = /** @type {any} */ (data)?.media;
  return NAMES.every((name) => STATES.includes(media?.[name])) ? { camera: media.camera, microphone: media.microphone } : null;
}

/**
 * Sentences about the devices of a peer that have changed.
 *
 * @param {string} name isolated
 * @param {DeviceNews} before
 * @param {DeviceNews} now
 */
export function newsOf(name, before, now) {
  return NAMES.filter((device) => before[device] !== now[device])
    .map((device) => `${name}’s ${device} ${now[device] === 'live' ? 'works again' : 'has stopped'}`);
}

/** The caption of a peer's tile; empty if nothing is missing. @param {DeviceNews} news */
export function lackOf({ camera, microphone }) {
  if (camera === 'missing') return microphone === 'missing' ? 'no camera, no microphone' : 'no camera';
  return microphone === 'missing' ? 'no microphone' : '';
}
