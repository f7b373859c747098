/**
 * The messages on the channel for files: docs/files.md. What arrives was chosen by somebody else, so anything else is skipped.
 *
 * @typedef {{ id: number, name: string, size: number, mime: string }} Offered
 * @typedef {'declined' | 'cancelled' | 'space' | 'disk' | 'too-large' | 'too-many' | 'damaged'} Declined
 * @typedef {'cancelled' | 'unreadable' | 'gone'} Withdrawn
 *
 * @typedef {{ type: 'hello', files: Offered[] } | { type: 'offer', file: Offered } | { type: 'end', id: number, crc: number }
 *   | { type: 'withdraw', id: number, reason: Withdrawn } | { type: 'chunk', id: number, offset: number, bytes: Uint8Array<ArrayBuffer> }} FromSender
 * @typedef {{ type: 'accept' | 'stored', id: number, offset: number } | { type: 'received', id: number }
 *   | { type: 'decline', id: number, reason: Declined }} FromReceiver
 *
 * What a conversation needs of its channel.
 *
 * @typedef {object} Port
 * @property {(data: string | Uint8Array<ArrayBuffer>) => boolean} send whether the channel has taken it
 * @property {number} bufferedAmount
 * @property {number} limit bytes in a message
 */

/** Bytes that a receiver has not reported as stored; a sender waits with more. */
export const WINDOW = 4 * 1024 * 1024;
/** A channel for shorter messages is not used: any offer fits into so much. */
export const SHORTEST = 2 * 1024;
const HEADER = 12;
/** Of bytes in a message. A chat message waits for one that is being sent: a quarter of a second at 1 Mbit/s. */
const CHUNK = 32 * 1024;
const LONGEST_NAME = 1_024;
const MOST_FILES = 1_000;

/** @type {readonly string[]} */
const DECLINED = ['declined', 'cancelled', 'space', 'disk', 'too-large', 'too-many', 'damaged'];
/** @type {readonly string[]} */
const WITHDRAWN = ['cancelled', 'unreadable', 'gone'];

/** Makes binary messages, all in the same memory: a channel copies what it sends. */
export class Parts {
  #message = new Uint8Array(HEADER + CHUNK);
  #head = new DataView(this.#message.buffer);

  /**
   * @param {Uint8Array} bytes
   * @param {Pick<Port, 'limit'>} port
   */
  *of(bytes, { limit }) {
    const length = Math.min(CHUNK, limit - HEADER);
    for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
  }

  /**
   * @param {number} id of the file
   * @param {number} offset
   * @param {Uint8Array} part
   */
  message(id, offset, part) {
    this.#head.setUint32(0, id);
    this.#head.setBigUint64(4, BigInt(offset));
    this.#message.set(part, HEADER);
    return this.#message.subarray(0, HEADER + part.length);
  }
}

/**
 * The messages that offer everything: the first of them is the greeting, with as much as fits.
 *
 * @param {Offered[]} offers
 * @param {number} limit bytes in a message
 * @returns {[object, ...object[]]}
 */
export function greeting(offers, limit) {
  const length = (/** @type {object} */ value) => new TextEncoder().encode(JSON.stringify(value)).length;
  let left = limit - length({ type: 'hello', files: [] });
  // Each, and a comma.
  const many = offers.findIndex((file, at) => at === MOST_FILES || (left -= length(file) + 1) < 0);
  const files = many < 0 ? offers : offers.slice(0, many);
  return [{ type: 'hello', files }, ...offers.slice(files.length).map((file) => ({ type: 'offer', file }))];
}

/**
 * @param {unknown} data
 * @returns {FromSender | FromReceiver | null}
 */
export function read(data) {
  if (data instanceof ArrayBuffer) return readChunk(data);
  try {
    return readText(JSON.parse(String(data)));
  } catch {
    return null;
  }
}

/** @param {ArrayBuffer} data */
function readChunk(data) {
  if (data.byteLength <= HEADER) return null;
  const head = new DataView(data);
  const offset = Number(head.getBigUint64(4));
  return { type: /** @type {const} */ ('chunk'), id: head.getUint32(0), offset, bytes: new Uint8Array(data, HEADER) };
}

/**
 * @param {Record<string, unknown>} message
 * @returns {FromSender | FromReceiver | null}
 */
function readText({ type, id, offset, crc, reason, file, files }) {
  if (type === 'hello') {
    if (!Array.isArray(files) || files.length > MOST_FILES) return null;
    return { type, files: files.map(offered).filter((one) => one !== null) };
  }
  if (type === 'offer') {
    const one = offered(file);
    return one && { type, file: one };
  }
  if (!isUint32(id)) return null;
  if (type === 'accept' || type === 'stored') return isLength(offset) ? { type, id, offset } : null;
  if (type === 'end') return isUint32(crc) ? { type, id, crc } : null;
  if (type === 'received') return { type, id };
  if (type === 'decline') return { type, id, reason: /** @type {Declined} */ (DECLINED.find((one) => one === reason) ?? 'cancelled') };
  if (type === 'withdraw') return { type, id, reason: /** @type {Withdrawn} */ (WITHDRAWN.find((one) => one === reason) ?? 'cancelled') };
  return null;
}

/** @param {any} file @returns {Offered | null} */
function offered(file) {
  const { id, name, size, mime } = file ?? {};
  if (!isUint32(id) || typeof name !== 'string' || name.length > LONGEST_NAME || !isLength(size)) return null;
  return { id, name, size, mime: typeof mime === 'string' ? mime.slice(0, 100) : '' };
}

/** @param {unknown} value @returns {value is number} */
function isUint32(value) {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 0xffff_ffff;
}

/** @param {unknown} value @returns {value is number} */
function isLength(value) {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
