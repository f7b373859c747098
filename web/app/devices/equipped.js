/** @import { MediaChoice } from '../address.js' */
/** @import { Choice } from './choices.js' */
/** @import { Kind } from './media.js' */

/**
 * The user's camera and microphone. `notice` says what is missing, `choices` are devices that could be used instead, `canRetry`
 * says whether opening the missing ones again may help, and `blocked` whether the browser or the user refuses one. `used` are
 * the ids of the devices. `off`: switched off, or never asked for.
 *
 * @typedef {'live' | 'off' | 'missing' | 'unavailable'} DeviceStatus
 * @typedef {{ audio: DeviceStatus, video: DeviceStatus }} Status
 * @typedef {{ stream: MediaStream | null, notice: string, choices: Choice[], canRetry: boolean, blocked: boolean, used: Map<Kind, string>, status: Status }} Equipped
 */

/** @type {Record<MediaChoice, Kind[]>} */
export const WANTED = { both: ['audio', 'video'], audio: ['audio'], none: [], chat: [] };
export const NOTHING = Object.freeze(/** @type {Equipped} */ ({ stream: null, notice: '', choices: [], canRetry: false, blocked: false, used: new Map(), status: { audio: 'unavailable', video: 'unavailable' } }));
