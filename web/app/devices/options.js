import { say } from '../languages/say.js';

/** @typedef {{ value: string, label: string, selected: boolean }} Option */

/** What a device without a label is called; browsers hide labels until devices are allowed. */
const NAMES = /** @type {const} */ ({ audioinput: 'microphone-number', videoinput: 'camera-number', audiooutput: 'speaker-number' });

/**
 * The devices of a kind, for a list to choose from. The one that is used is selected; Chromium's second entry for the default
 * device of calls is left out.
 *
 * @param {MediaDeviceKind} kind
 * @param {Pick<MediaDeviceInfo, 'kind' | 'deviceId' | 'label'>[]} devices
 * @param {string | undefined} used
 * @returns {Option[]}
 */
export function optionsOf(kind, devices, used) {
  const all = devices.filter((device) => device.kind === kind && device.deviceId !== 'communications' && device.deviceId !== '');
  const chosen = all.some(({ deviceId }) => deviceId === used) ? used : all[0]?.deviceId;
  return all.map(({ deviceId, label }, at) => ({ value: deviceId, label: label || say(NAMES[kind], { number: at + 1 }), selected: deviceId === chosen }));
}
