import { say } from '../languages/say.js';

/** @import { Lack } from './words.js' */
/** @import { Kind } from './media.js' */

/** @typedef {{ kind: Kind, deviceId: string, label: string }} Choice */

/**
 * The devices that could be used in place of missing ones.
 *
 * @param {Iterable<Kind>} kinds
 * @param {MediaDeviceInfo[]} devices
 * @returns {Choice[]}
 */
export function choicesFor(kinds, devices) {
  return [...kinds].flatMap((kind) => devices
    .filter((device) => device.kind === `${kind}input` && device.deviceId !== 'communications')
    .map(({ deviceId, label }, at) => ({ kind, deviceId, label: label || say(kind === 'audio' ? 'microphone-number' : 'camera-number', { number: at + 1 }) })));
}

/**
 * Those worth a button: where there is one device, *Try again* means it; Chromium lists the default device twice; and what is denied is
 * denied for all of a kind.
 *
 * @param {Choice[]} choices
 * @param {Map<Kind, Lack>} lacks
 */
export function offered(choices, lacks) {
  const each = choices.filter(({ kind, deviceId }) => deviceId !== 'default' && deviceId !== '' && lacks.get(kind)?.permission !== 'denied');
  return each.filter(({ kind }) => lacks.get(kind)?.deviceId || each.filter((other) => other.kind === kind).length > 1);
}
