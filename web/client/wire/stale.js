/** @import { Batch } from '../types.d.ts' */

/** So long after the first, no answer is made that has the same date. */
const REPEATED_MS = 2_500;

/**
 * An answer from behind the cursor that was asked for is not the server's: a cache on the way, or a service worker,
 * repeats one from before.
 *
 * @param {Batch} batch
 * @param {number} asked
 */
export function isStale({ messages, cursor }, asked) {
  return !(cursor >= asked) || !Array.isArray(messages) || messages.some(({ seq }) => !(seq > asked && seq <= cursor));
}

/** Tells by their dates, which caches keep (RFC 9111, 5.3), whether answers are one and the same. */
export class Dates {
  /** @type {string | null} */
  #date = null;
  /** When the first of this date came. */
  #since = 0;

  /**
   * @param {string | null} date in whole seconds; null if it is not told
   * @param {number} now
   */
  isRepeated(date, now) {
    if (date === null || date !== this.#date) this.#since = now;
    this.#date = date;
    return now - this.#since >= REPEATED_MS;
  }
}
