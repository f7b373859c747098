import { belongs, ufragOf } from './sdp.js';

/** @import { Connection } from './connection.js' */
/** @import { Clock } from '../types.d.ts' */

/** More than any browser gathers for one description. */
const MAX = 128;
/** A description follows its first candidates sooner than this. */
const RECENT_MS = 10_000;

/** Candidates that arrived before their description. They outlive a connection that the description replaces. */
export class EarlyCandidates {
  #clock;
  /** @type {(RTCIceCandidateInit | null)[]} */
  #kept = [];
  /**
   * Those that do not name their description: they were added to the connection that there is, but may belong to the next.
   *
   * @type {{ candidate: RTCIceCandidateInit, at: number }[]}
   */
  #unnamed = [];

  /** @param {Pick<Clock, 'now'>} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  /**
   * Adds a candidate to a connection that has its description, or else keeps it.
   *
   * @param {RTCIceCandidateInit | null} candidate
   * @param {Connection | null} connection
   */
  async pass(candidate, connection) {
    if (connection?.remote && belongs(candidate, connection.remote)) {
      if (candidate && ufragOf(candidate) === null) bound(this.#unnamed).push({ candidate, at: this.#clock.now() });
      return connection.add(candidate);
    }
    bound(this.#kept).push(candidate);
  }

  /**
   * Takes out the candidates that may belong to a description, in order of arrival.
   *
   * @param {string} sdp
   * @param {boolean} isFirst on its connection
   */
  takeFor(sdp, isFirst) {
    const since = this.#clock.now() - RECENT_MS;
    const unnamed = isFirst ? this.#unnamed.filter(({ at }) => at >= since).map(({ candidate }) => candidate) : [];
    const ours = this.#kept.filter((candidate) => belongs(candidate, sdp));
    this.#kept = this.#kept.filter((candidate) => !belongs(candidate, sdp));
    this.#unnamed = [];
    return [...unnamed, ...ours];
  }

  clear() {
    this.#kept = [];
    this.#unnamed = [];
  }
}

/**
 * Makes room for one more.
 *
 * @template Item
 * @param {Item[]} list
 */
function bound(list) {
  if (list.length >= MAX) list.shift();
  return list;
}
