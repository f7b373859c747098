import { safetyNumber } from '../sealed/safety-number.js';

/** @import { Verified } from '../types.d.ts' */

/** What is known about who is at the other end of one connection after the other. */
export class Verification {
  #isSealed;
  #changed;
  /** The descriptions in force. @type {string | null} */
  #described = null;
  /** @type {string | null} */
  #number = null;
  /** The number that the user has compared. @type {string | null} */
  #compared = null;

  /**
   * @param {() => boolean} isSealed
   * @param {() => void} changed
   */
  constructor(isSealed, changed) {
    this.#isSealed = isSealed;
    this.#changed = changed;
  }

  /** The same at both ends if nobody is in between. */
  get number() {
    return this.#number;
  }

  /** @returns {Verified} */
  get state() {
    if (this.#number !== null && this.#number === this.#compared) return 'compared';
    // In a sealed room, descriptions that were not sealed are not used.
    return this.#described !== null && this.#isSealed() ? 'key' : false;
  }

  /** A connection with other certificates has to be compared again. */
  compare() {
    this.#compared = this.#number;
    this.#changed();
  }

  /**
   * An exchange has ended with these descriptions; null if the connection is gone.
   *
   * @param {string | undefined} local
   * @param {string | null | undefined} remote
   */
  async look(local, remote) {
    const described = local && remote ? `${local}\0${remote}` : null;
    if (described === this.#described) return;
    this.#described = described;
    const number = local && remote ? await safetyNumber(local, remote) : null;
    if (described !== this.#described || number === this.#number) return;
    this.#number = number;
    if (number !== null) this.#changed();
  }
}
