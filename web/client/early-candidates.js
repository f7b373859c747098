import { belongs } from './sdp.js';

/** More than any browser gathers for one description. */
const MOST = 128;

/** Candidates that came before the description they belong to. They outlive a connection that it replaces. */
export class EarlyCandidates {
  /** @type {(RTCIceCandidateInit | null)[]} */
  #kept = [];

  /** @param {RTCIceCandidateInit | null} candidate */
  keep(candidate) {
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
