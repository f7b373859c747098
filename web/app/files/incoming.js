import { crc32 } from './crc32.js';
import { safeName } from './safe-name.js';
import { WINDOW } from './wire.js';

/** @import { Declined, Offered, Withdrawn } from './wire.js' */

/** Bytes that are written at once. The sender is told after each. */
const BATCH = 1024 * 1024;

/**
 * @typedef {{ bytes: Uint8Array<ArrayBuffer>, length: number }} Batch of parts that are written together
 *
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
 * @property {Batch | null} batch that is being filled
 * @property {Batch[]} spare batches, which are written already
 * @property {Promise<void>} written after all writes so far
 * @property {Sink} [sink]
 * @property {Blob | null} [blob] to be saved
 */

/** @param {Offered} offer @returns {Incoming} */
export function incoming(offer) {
  return { offer, name: safeName(offer.name), state: 'asked', agreed: false, received: 0, stored: 0, crc: 0, batch: null, spare: [], written: Promise.resolve() };
}

/** Is this the part that comes next, and not more than was agreed? @param {Incoming} file @param {{ offset: number, bytes: Uint8Array }} chunk */
export function fits(file, { offset, bytes }) {
  const end = offset + bytes.length;
  return offset === file.received && end <= file.offer.size && end - file.stored <= 2 * WINDOW;
}

/**
 * A part has arrived.
 *
 * @param {Incoming} file
 * @param {Uint8Array} bytes
 * @param {() => void} full the batch has to be written
 */
export function take(file, bytes, full) {
  file.crc = crc32(bytes, file.crc);
  for (let at = 0; at < bytes.length; ) {
    const batch = (file.batch ??= file.spare.pop() ?? { bytes: new Uint8Array(BATCH), length: 0 });
    const part = bytes.subarray(at, at + BATCH - batch.length);
    batch.bytes.set(part, batch.length);
    batch.length += part.length;
    file.received += part.length;
    at += part.length;
    if (batch.length === BATCH) full();
  }
}

/**
 * Writes the batch, after those before.
 *
 * @param {Incoming} file
 * @param {() => void} stored
 * @param {(error: Error) => void} failed
 */
export function write(file, stored, failed) {
  const { batch, received: end } = file;
  file.batch = null;
  file.written = file.written.then(async () => {
    if (!isLive(file)) return;
    if (batch) await file.sink?.write(batch.bytes.subarray(0, batch.length));
    if (batch) file.spare.push(Object.assign(batch, { length: 0 }));
    file.stored = end;
    if (isLive(file)) stored();
  }).catch(failed);
}

/** @param {Incoming} file */
export function isLive({ state }) {
  return state !== 'done' && state !== 'over';
}

/** @param {Error} error @returns {Declined} */
export function reasonOf({ name }) {
  if (name === 'QuotaExceededError') return 'space';
  return name === 'TooLarge' ? 'too-large' : 'disk';
}
