import { crc32 } from './crc32.js';
import { safeName } from './safe-name.js';
import { WINDOW } from './wire.js';

/** @import { Declined, Offered, Withdrawn } from './wire.js' */

/** Bytes that are written at once. The sender is told after each. */
const BATCH = 1024 * 1024;

/**
 * Where a file goes.
 *
 * @typedef {object} Sink
 * @property {(bytes: Uint8Array<ArrayBuffer>) => Promise<void>} write
 * @property {() => Promise<Blob | null>} close resolves with the file, if it has yet to be saved
 * @property {() => Promise<void>} abort throws away what was written
 *
 * `asked`, `opening` (the user chooses where to save it), `receiving`, `finishing`, or an end.
 *
 * @typedef {'asked' | 'opening' | 'receiving' | 'finishing' | 'done' | 'over'} IncomingState
 * @typedef {Declined | Withdrawn | 'left'} IncomingEnd
 *
 * @typedef {object} Incoming
 * @property {Offered} offer
 * @property {string} name fit to be shown
 * @property {IncomingState} state
 * @property {IncomingEnd} [why] it is over, unless it is done
 * @property {'us' | 'them'} [by]
 * @property {boolean} agreed on this channel: from which offset on
 * @property {number} received
 * @property {number} stored
 * @property {number} crc of what was received
 * @property {Uint8Array[]} waiting to be written
 * @property {Promise<void>} written after all writes so far
 * @property {Sink} [sink]
 * @property {Blob | null} [blob] to be saved
 */

/** @param {Offered} offer @returns {Incoming} */
export function incoming(offer) {
  return { offer, name: safeName(offer.name), state: 'asked', agreed: false, received: 0, stored: 0, crc: 0, waiting: [], written: Promise.resolve() };
}

/**
 * A part has arrived. Returns what is to be done: to write, to wait for more, or to give up, because it is not what was agreed.
 *
 * @param {Incoming} file
 * @param {{ offset: number, bytes: Uint8Array }} chunk
 */
export function take(file, { offset, bytes }) {
  const end = offset + bytes.length;
  if (offset !== file.received || end > file.offer.size || end - file.stored > 2 * WINDOW) return 'give up';
  file.crc = crc32(bytes, file.crc);
  file.received = end;
  file.waiting.push(bytes);
  return file.waiting.reduce((sum, { length }) => sum + length, 0) >= BATCH ? 'write' : 'wait';
}

/**
 * Writes what is waiting, after what was to be written before.
 *
 * @param {Incoming} file
 * @param {() => void} stored
 * @param {(error: Error) => void} failed
 */
export function write(file, stored, failed) {
  const [bytes, end] = [joined(file.waiting.splice(0)), file.received];
  file.written = file.written.then(async () => {
    if (!isLive(file)) return;
    await file.sink?.write(bytes);
    file.stored = end;
    if (isLive(file)) stored();
  }).catch(failed);
}

/** @param {Incoming} file */
export function isLive({ state }) {
  return state !== 'done' && state !== 'over';
}

/** @param {Uint8Array[]} parts */
function joined(parts) {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** @param {Error} error @returns {Declined} */
export function reasonOf({ name }) {
  if (name === 'QuotaExceededError') return 'space';
  return name === 'TooLarge' ? 'too-large' : 'disk';
}
