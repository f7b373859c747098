/** @import { Kind } from './media.js' */

/**
 * What pages tell each other of their devices, in a message of type `data` (docs/page.md):
 * `{"media": {"camera": "missing", "microphone": "live"}}`. A picture that stands still tells the other nothing: it may
 * as well be the network.
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
 * Null if that is something else: applications send what they like.
 *
 * @param {unknown} data
 * @returns {DeviceNews | null}
 */
export function readDeviceNews(data) {
  const media = /** @type {any} */ (data)?.media;
  return NAMES.every((name) => STATES.includes(media?.[name])) ? { camera: media.camera, microphone: media.microphone } : null;
}

/**
 * What is to be said about somebody whose devices were like this and are now like that.
 *
 * @param {string} name isolated
 * @param {DeviceNews} before
 * @param {DeviceNews} now
 */
export function newsOf(name, before, now) {
  return NAMES.filter((device) => before[device] !== now[device])
    .map((device) => `${name}’s ${device} ${now[device] === 'live' ? 'works again' : 'has stopped'}`);
}

/** For the picture of somebody; empty if nothing is missing. @param {DeviceNews} news */
export function lackOf({ camera, microphone }) {
  if (camera === 'missing') return microphone === 'missing' ? 'no camera, no microphone' : 'no camera';
  return microphone === 'missing' ? 'no microphone' : '';
}
