/** @import { Ending, Problem as P, ProblemDocument, RoomEnded as R, Unreachable as U } from '../types.d.ts' */

/**
 * The server understood and refused. `slug` says what, `document` has everything it said.
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
    /** How long the server asks to wait before trying again, if it does. */
    const said = document.retry_after_ms;
    this.retryAfterMs = typeof said === 'number' && said >= 0 ? said : retryAfterMs;
  }
}

/**
 * No answer of the server came through: the network failed, nothing came in time, or somebody on the way answered in
 * its place (a gateway with an error, a captive portal with its own page, a cache with an answer from before).
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
 * The room ended before this could be done.
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
