/** @import { Batch } from '../types.d.ts' */

/** Responses with the same `Date`, which has a resolution of one second, cannot arrive this far apart. */
const REPEATED_MS = 2_500;

/**
 * A batch older than the cursor in the request is not the server's: a cache or a service worker has repeated an old
 * response.
 *
 * @param {Batch} batch
 * @param {number} sent cursor of the request
 */
export function isStale({ messages, cursor }, sent) {
  if (!Number.isInteger(cursor) || cursor < sent || !Array.isArray(messages)) return true;
  return messages.some((message) => !(Number.isInteger(message?.seq) && message.seq > sent && message.seq <= cursor));
}

/** Recognises repeated responses by `Date`, the time of their origination (RFC 9110, section 6.6.1), which caches keep. */
export class Dates {
  /** @type {string | null} */
  #date = null;
  /** When the first response with this date arrived. */
  #since = 0;

  /**
   * @param {string | null} date null if CORS hides it
   * @param {number} now
   */
  isRepeated(date, now) {
    if (date === null || date !== this.#date) this.#since = now;
    this.#date = date;
    return now - this.#since >= REPEATED_MS;
  }
}
