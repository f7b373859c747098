/** Ids of elements (RFC 9559 section 5.1). */
const EBML = 0x1a45dfa3;
const SEGMENT = 0x18538067;
const INFO = 0x1549a966;
const TIMESTAMP_SCALE = 0x2ad7b1;
const DURATION = 0x4489;
/** Of an element whose end is not known yet (RFC 8794 section 6.2): all bits of the value are set. */
const UNKNOWN = -1;
/** The id, a size of one byte, and a number of eight. */
const DURATION_BYTES = 11;
/** A file whose duration has no place by then stays as it is. */
const BEGINNING_BYTES = 1_024;

/**
 * Browsers write WebM as a stream, without its duration, so players neither show it nor let one seek. This makes room for it.
 *
 * @param {Uint8Array} file its beginning
 * @returns {{ bytes: Uint8Array, durationAt: number } | null} the new beginning, and where the duration is written to later, in
 *   milliseconds; null if there is one, or if the file is not as expected
 */
export function withDuration(file) {
  const ebml = elementAt(file, 0);
  if (ebml?.id !== EBML || ebml.size === UNKNOWN) return null;
  const segment = elementAt(file, ebml.end);
  // Otherwise the segment's size would have to grow as well.
  if (segment?.id !== SEGMENT || segment.size !== UNKNOWN) return null;
  const info = elementAt(file, segment.start);
  if (info?.id !== INFO || info.size === UNKNOWN || info.end > file.length) return null;
  const children = childrenOf(file, info);
  const scale = children.find(({ id }) => id === TIMESTAMP_SCALE);
  const isMs = !scale || numberIn(file.subarray(scale.start, scale.end)) === 1_000_000;
  if (!isMs || children.some(({ id }) => id === DURATION)) return null;
  const head = [0x15, 0x49, 0xa9, 0x66, ...sizeOf(info.size + DURATION_BYTES)];
  const duration = [0x44, 0x89, 0x88, 0, 0, 0, 0, 0, 0, 0, 0];
  const before = file.subarray(0, segment.start);
  const bytes = Uint8Array.from([...before, ...head, ...file.subarray(info.start, info.end), ...duration]);
  const whole = new Uint8Array(bytes.length + file.length - info.end);
  whole.set(bytes);
  whole.set(file.subarray(info.end), bytes.length);
  return { bytes: whole, durationAt: bytes.length - 8 };
}

/** The beginning of a recording: a busy browser hands out its first bytes one element at a time, too few to make room for the duration. */
export class Beginning {
  #bytes = new Uint8Array();

  /**
   * What is to be written once there is enough; null until then.
   *
   * @param {Uint8Array} bytes
   */
  add(bytes) {
    const whole = new Uint8Array(this.#bytes.length + bytes.length);
    whole.set(this.#bytes);
    whole.set(bytes, this.#bytes.length);
    this.#bytes = whole;
    return this.#bytes.length < BEGINNING_BYTES && !withDuration(this.#bytes) ? null : this.rest;
  }

  /** All of it, with room for the duration if there can be. @returns {{ bytes: Uint8Array, durationAt: number }} */
  get rest() {
    return withDuration(this.#bytes) ?? { bytes: this.#bytes, durationAt: 0 };
  }
}

/** @param {number} ms */
export function durationBytes(ms) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, ms);
  return bytes;
}

/** @typedef {{ id: number, size: number, start: number, end: number }} Element */

/**
 * @param {Uint8Array} file
 * @param {number} at
 * @returns {Element | null}
 */
function elementAt(file, at) {
  const idLength = Math.clz32(file[at] ?? 0) - 23;
  const sizeAt = at + idLength;
  const sizeLength = Math.clz32(file[sizeAt] ?? 0) - 23;
  if (idLength > 4 || sizeLength > 8 || sizeAt + sizeLength > file.length) return null;
  const sized = file.subarray(sizeAt, sizeAt + sizeLength);
  const bare = [sized[0] & (0xff >> sizeLength), ...sized.subarray(1)];
  const isUnknown = bare[0] === 0xff >> sizeLength && bare.slice(1).every((byte) => byte === 0xff);
  const start = sizeAt + sizeLength;
  const size = isUnknown ? UNKNOWN : numberIn(bare);
  return { id: numberIn(file.subarray(at, sizeAt)), size, start, end: start + Math.max(0, size) };
}

/**
 * @param {Uint8Array} file
 * @param {Element} parent
 */
function childrenOf(file, { start, end }) {
  const found = [];
  for (let at = start; at < end;) {
    const child = elementAt(file, at);
    if (!child || child.end <= at) break;
    found.push(child);
    at = child.end;
  }
  return found;
}

/** @param {ArrayLike<number>} bytes */
function numberIn(bytes) {
  return Array.from(bytes).reduce((number, byte) => number * 256 + byte, 0);
}

/** A size of eight bytes. @param {number} size */
function sizeOf(size) {
  return [0x01, ...Array.from({ length: 7 }, (_, at) => Math.floor(size / 256 ** (6 - at)) % 256)];
}
