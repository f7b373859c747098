import { belongs } from './sdp.js';

/** @import { Connection } from './connection.js' */

/** More than any browser gathers for one description. */
const MAX = 128;

/** Candidates that arrived before their description. They outlive a connection that the description replaces. */
export class EarlyCandidates {
  /** @type {(RTCIceCandidateInit | null)[]} */
  #kept = [];

  /**
   * Adds a candidate to a connection that has its description, or else keeps it.
   *
   * @param {RTCIceCandidateInit | null} candidate
   * @param {Connection | null} connection
   */
  async pass(candidate, connection) {
    if (connection?.remote && belongs(candidate, connection.remote)) return connection.add(candidate);
    this.#kept.push(candidate);
    if (this.#kept.length > MAX) this.#kept.shift();
  }

  /** Takes out the candidates that may belong to a description, in order of arrival. @param {string} sdp */
  takeFor(sdp) {
    const ours = this.#kept.filter((candidate) => belongs(candidate, sdp));
    this.#kept = this.#kept.filter((candidate) => !belongs(candidate, sdp));
    return ours;
  }

  clear() {
    this.#kept = [];
  }
}
