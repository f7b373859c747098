/** @import { Environment } from '../types.d.ts' */

/** Ids of peers that left are never given to others, so the oldest can be forgotten. */
const MAX = 256;

/**
 * The peers that this member has chosen to call: those that were in the room when it joined, and those that it let in later.
 * Kept across a reload, like the seat.
 */
export class AdmittedPeers {
  #storage;
  #key;
  /** @type {Set<string> | null} */
  #ids;
  #kept = false;

  /**
   * @param {Environment['storage']} storage
   * @param {string} root the room's URL, and in a sealed room which key
   * @param {boolean} returning to a seat: by now the room may have peers that this member did not choose by joining
   */
  constructor(storage, root, returning) {
    this.#storage = storage;
    this.#key = `signalpost:admitted:${root}`;
    this.#ids = returning ? new Set(this.#load()) : null;
  }

  /** The roster of the first join. @param {{ id: string }[]} peers */
  chosen(peers) {
    this.#ids ??= new Set(peers.map(({ id }) => id));
  }

  /** From now on a reload finds them again. */
  keep() {
    this.#kept = true;
    this.#save();
  }

  /** @param {string} id */
  has(id) {
    return this.#ids?.has(id) ?? false;
  }

  /** @param {string} id */
  add(id) {
    this.#ids = new Set([...(this.#ids ?? []), id].slice(-MAX));
    if (this.#kept) this.#save();
  }

  /** @returns {string[]} */
  #load() {
    try {
      const ids = JSON.parse(this.#storage.getItem(this.#key) ?? '[]');
      return Array.isArray(ids) ? ids : [];
    } catch {
      return [];
    }
  }

  #save() {
    try {
      this.#storage.setItem(this.#key, JSON.stringify([...(this.#ids ?? [])]));
    } catch {
      // If storage is full, the user is asked again after a reload.
    }
  }
}
