/** @import { Environment } from '../types.d.ts' */

/**
 * Proof of who holds a seat. `roomToken` is there if this member created the room.
 *
 * @typedef {{ peer: string, token: string, roomToken?: string }} Seat
 */

/** Keeps the seat across a reload of the page. */
export class KeptSeat {
  #storage;
  #key;

  /**
   * @param {Environment['storage']} storage
   * @param {string} root the room's URL, and in a sealed room which key
   */
  constructor(storage, root) {
    this.#storage = storage;
    this.#key = `signalpost:${root}`;
  }

  /** @returns {Seat | null} */
  load() {
    try {
      const seat = JSON.parse(this.#storage.getItem(this.#key) ?? 'null');
      return typeof seat?.token === 'string' && typeof seat.peer === 'string' ? seat : null;
    } catch {
      return null;
    }
  }

  /** @param {Seat} seat */
  save(seat) {
    try {
      this.#storage.setItem(this.#key, JSON.stringify(seat));
    } catch {
      // If storage is full, a reload loses the seat, not the call.
    }
  }

  /**
   * Drops this seat, but not another one that the page has taken in the same room meanwhile.
   *
   * @param {Seat} seat
   */
  drop({ token }) {
    if (this.load()?.token !== token) return;
    try {
      this.#storage.removeItem(this.#key);
    } catch {
      // An application's own storage may fail; the server rejects the old token anyway.
    }
  }
}
