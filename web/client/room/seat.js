/** @import { Environment } from '../types.d.ts' */

/**
 * What proves who sits on a seat. `roomToken` is there if this member made the room.
 *
 * @typedef {{ peer: string, token: string, roomToken?: string }} Seat
 */

/** Keeps the seat for a page that is refreshed. */
export class KeptSeat {
  #storage;
  #key;

  /**
   * @param {Environment['storage']} storage
   * @param {string} root the room's address
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
      // A full storage costs the seat after a refresh, not the call.
    }
  }

  /**
   * Drops this seat, and no other that the page may have taken in the same room meanwhile.
   *
   * @param {Seat} seat
   */
  drop({ token }) {
    if (this.load()?.token !== token) return;
    try {
      this.#storage.removeItem(this.#key);
    } catch {
      // An application's own storage may have been taken away meanwhile; the server tells the seat from a good one.
    }
  }
}
