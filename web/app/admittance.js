import { whipRole } from '../client/index.js';
import { isolatedName } from './names.js';
import { fits } from './sealed/lacks.js';

/** @import { Peer, Room } from '../client/types.d.ts' */
/** @import { Viewer } from './viewer.d.ts' */

/** Who is let into a call by its user, and who has declined the user. */
export class Admittance {
  #viewer;
  /** The names of peers that wait for the user's answer, by id. @type {Map<string, string>} */
  #callers = new Map();
  /** The ids of peers that declined. @type {Set<string>} */
  #declined = new Set();
  /** The ids of peers that the user declined. @type {Set<string>} */
  declinedHere = new Set();

  /** @param {Pick<Viewer, 'asked' | 'changed'>} viewer */
  constructor(viewer) {
    this.#viewer = viewer;
  }

  /** The names of those who wait for an answer. */
  get callers() {
    return [...this.#callers.values()];
  }

  /**
   * Asks the user about a newcomer: in a sealed room only about one who has its key.
   *
   * @param {Room} room
   * @param {Peer} peer
   * @param {AbortSignal} signal
   */
  async ask(room, peer, signal) {
    await fits(room, peer, signal);
    this.#callers.set(peer.id, isolatedName(peer));
    this.#viewer.changed();
    const yes = await this.#viewer.asked(peer, signal);
    this.#callers.delete(peer.id);
    if (!yes && !signal.aborted) this.declinedHere.add(peer.id);
    this.#viewer.changed();
    return yes;
  }

  /**
   * Was that peer the last who declined?
   *
   * @param {Room} room
   * @param {Peer} peer
   */
  declinedBy(room, peer) {
    this.#declined.add(peer.id);
    return [...room.peers.values()].every((one) => whipRole(one) || this.#declined.has(one.id));
  }
}
