import { say } from '../languages/say.js';

/** @import { Kind } from './media.js' */

/**
 * What pages tell each other about their devices, in a message of type `data` (docs/page.md):
 * `{"media": {"camera": "missing", "microphone": "live", "off": ["camera"]}}`. A frozen picture does not tell: the network may
 * be the reason.
 *
 * `screen` is the id of the stream with a shared screen, `hand` a raised hand, and `recording` says that the call is being recorded.
 *
 * @typedef {'live' | 'missing' | 'off'} DeviceState
 * @typedef {{ screen?: string, hand?: boolean, recording?: boolean }} Extra
 * @typedef {{ camera: DeviceState, microphone: DeviceState } & Extra} DeviceNews
 */

/** @typedef {'camera' | 'microphone'} Device */

/** @type {Device[]} */
const NAMES = ['camera', 'microphone'];
/** @type {Record<Kind, Device>} */
const NAME_OF = { video: 'camera', audio: 'microphone' };
/** On the wire. `off` is a member of its own, because pages from before it was added take only these two. */
const STATES = /** @type {readonly unknown[]} */ (['live', 'missing']);
/** @type {DeviceNews} */
export const ALL_LIVE = Object.freeze({ camera: 'live', microphone: 'live' });

/**
 * @param {Kind[]} missing not sent
 * @param {Kind[]} [off] switched off by the user
 * @param {Extra} [extra]
 */
export function deviceNews(missing, off = [], { screen, hand, recording } = {}) {
  const state = (/** @type {Kind} */ kind) => (missing.includes(kind) ? 'missing' : 'live');
  const named = NAMES.filter((name) => off.some((kind) => NAME_OF[kind] === name));
  return { media: { camera: state('video'), microphone: state('audio'), ...(named.length > 0 && { off: named }), ...(screen && { screen }), ...(hand && { hand }), ...(recording && { recording }) } };
}

/**
 * Null for anything else: applications send data of their own.
 *
 * @param {unknown} data
 * @returns {DeviceNews | null}
 */
export function readDeviceNews(data) {
  const media = /** @type {any} */ (data)?.media;
  if (!NAMES.every((name) => STATES.includes(media?.[name]))) return null;
  const off = Array.isArray(media.off) ? media.off : [];
  const state = (/** @type {Device} */ name) => (off.includes(name) ? 'off' : media[name]);
  const flag = (/** @type {'hand' | 'recording'} */ name) => media[name] === true && { [name]: true };
  const extra = { ...(typeof media.screen === 'string' && media.screen && { screen: media.screen }), ...flag('hand'), ...flag('recording') };
  return { camera: state('camera'), microphone: state('microphone'), ...extra };
}

/**
 * What is said about the devices of a peer that have changed: the keys of `log` in the chat, `spoken` to screen readers only.
 *
 * @param {string} name isolated
 * @param {DeviceNews} before
 * @param {DeviceNews} now
 */
export function newsOf(name, before, now) {
  const changed = NAMES.filter((device) => before[device] !== now[device]);
  // Who mutes and unmutes often must not fill the chat.
  const isSwitch = (/** @type {Device} */ device) => now[device] === 'off' || (now[device] === 'live' && before[device] === 'off');
  const devices = changed.filter((device) => !isSwitch(device)).map((device) => /** @type {const} */ (`${device}-${now[device] === 'live' ? 'works' : 'stopped'}`));
  const screen = Boolean(before.screen) === Boolean(now.screen) ? [] : [now.screen ? /** @type {const} */ ('shares') : /** @type {const} */ ('shares-no-more')];
  const hand = Boolean(before.hand) === Boolean(now.hand) ? [] : [say(now.hand ? 'raised' : 'lowered', { name })];
  const recording = Boolean(before.recording) === Boolean(now.recording) ? [] : [now.recording ? /** @type {const} */ ('records') : /** @type {const} */ ('records-no-more')];
  return { log: [...devices, ...screen, ...recording], spoken: [...changed.filter(isSwitch).map((device) => say(`${device}-is-${now[device] === 'live' ? 'on' : 'off'}`, { name })), ...hand] };
}

/** The caption of a peer's tile; empty if nothing is missing. @param {DeviceNews} news */
export function lackOf({ camera, microphone }) {
  if (camera === 'missing') return say(microphone === 'missing' ? 'no-devices' : 'no-camera');
  return microphone === 'missing' ? say('no-microphone') : '';
}

/** What the user of a tile has switched off, for screen readers. @param {DeviceNews} news */
export function offOf({ camera, microphone }) {
  if (microphone === 'off') return say(camera === 'off' ? 'muted-camera-off' : 'muted');
  return camera === 'off' ? say('has-camera-off') : '';
}
