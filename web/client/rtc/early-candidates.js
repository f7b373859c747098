import { belongs } from './sdp.js';

/** @import { Connection } from './connection.js' */

/** More than any browser gathers for one description. */
const MOST = 128;

/** Candidates that came before the description they belong to. They outlive a connection that it replaces. */
export class EarlyCandidates {
  /** @type {(RTCIceCandidateInit | null)[]} */
  #kept = [];

  /**
   * Gives a candidate to a connection that has its description, or else keeps it.
   *
   * @param {RTCIceCandidateInit | null} candidate
   * @param {Connection | null} connection
   */
  async pass(candidate, connection) {
    if (connection?.remote && belongs(candidate, connection.remote)) return connection.add(candidate);
    this.#kept.push(candidate);
    if (this.#kept.length > MOST) this.#kept.shift();
  }

  /** Takes out what may belong to a description, in the order in which it came. @param {string} sdp */
  takeFor(sdp) {
    const ours = this.#kept.filter((candidate) => belongs(candidate, sdp));
    this.#kept = this.#kept.filter((candidate) => !belongs(candidate, sdp));
    return ours;
  }

  clear() {
    this.#kept = [];
  }
}
