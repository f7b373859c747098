/** @import { Ending, Problem as P, ProblemDocument, RoomEnded as R, Unreachable as U } from '../types.d.ts' */

/**
 * The server refused a request. `slug` is the kind of problem, `document` the whole RFC 9457 document.
 *
 * @implements {P}
 */
export class Problem extends Error {
  /**
   * @param {ProblemDocument} document
   * @param {number | null} [retryAfterMs]
   */
  constructor(document, retryAfterMs = null) {
    super(document.detail ?? document.title);
    this.name = 'Problem';
    this.document = document;
    this.status = document.status;
    this.slug = document.type.slice(document.type.lastIndexOf('/') + 1);
    const ms = document.retry_after_ms;
    /** How long the server asks to wait before a retry, if it does. */
    this.retryAfterMs = typeof ms === 'number' && ms >= 0 ? ms : retryAfterMs;
  }
}

/**
 * No response of the server arrived: the network failed, the request timed out, or an intermediary responded instead (a
 * gateway with an error, a captive portal with its page, a cache with an old response).
 *
 * @implements {U}
 */
export class Unreachable extends Error {
  /**
   * @param {'network' | 'timeout' | 'gateway' | 'foreign' | 'stale'} reason
   * @param {{ status?: number, retryAfterMs?: number | null, cause?: unknown }} [more]
   */
  constructor(reason, { status, retryAfterMs = null, cause } = {}) {
    super(`The server cannot be reached (${status ? `${reason} ${status}` : reason}).`, { cause });
    this.name = 'Unreachable';
    this.reason = reason;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * The room ended before the operation was done.
 *
 * @implements {R}
 */
export class RoomEnded extends Error {
  /** @param {Ending} state */
  constructor(state) {
    super(`The room has ended (${state}).`);
    this.name = 'RoomEnded';
    this.state = state;
  }
}
