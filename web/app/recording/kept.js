import { lastingStorage } from '../../client/index.js';
import { KEPT } from './kept-key.js';
import { removeStored, storedFile } from './stored-file.js';

/** Nobody knows when a download has been written; a copy of a large file takes a while. */
const DOWNLOADED_MS = 600_000;
const LOCK = 'signalpost:recording:';

/** @typedef {Record<string, number | null>} Kept when each recording was handed to the browser as a download; null: not yet */

/**
 * Recordings in the browser's private storage. They stay there until they are saved elsewhere: the page that made one may have been closed
 * before that.
 */
export class KeptRecordings {
  #storage;

  /** @param {Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>} [storage] */
  constructor(storage = lastingStorage) {
    this.#storage = storage;
  }

  /** @returns {Kept} */
  get all() {
    try {
      const kept = JSON.parse(this.#storage.getItem(KEPT) ?? '{}');
      return Object.fromEntries(Object.entries(kept ?? {}).filter(([, at]) => at === null || typeof at === 'number'));
    } catch {
      return {};
    }
  }

  /**
   * @param {string} name
   * @param {number | null} at
   */
  set(name, at) {
    this.#write({ ...this.all, [name]: at });
  }

  /** @param {string} name */
  drop(name) {
    const { [name]: gone, ...others } = this.all;
    this.#write(others);
  }

  /** @param {Kept} kept */
  #write(kept) {
    if (Object.keys(kept).length > 0) this.#storage.setItem(KEPT, JSON.stringify(kept));
    else this.#storage.removeItem(KEPT);
  }
}

/**
 * Marks a recording as being made, so that other tabs leave it alone, until the promise is settled.
 *
 * @param {string} name
 * @param {Promise<unknown>} ended
 */
export function claim(name, ended) {
  const done = ended.catch(() => {});
  navigator.locks?.request(LOCK + name, () => done).catch(() => {});
}

/**
 * Recordings whose page was left before they were saved. Those that were downloaded long ago are removed.
 *
 * @param {number} now milliseconds since 1970
 * @returns {Promise<File[]>}
 */
export async function leftBehind(now, kept = new KeptRecordings()) {
  const { held = [] } = await navigator.locks?.query() ?? {};
  const found = [];
  for (const [name, at] of Object.entries(kept.all)) {
    if (held.some((lock) => lock.name === LOCK + name)) continue;
    const file = at === null ? await storedFile(name) : null;
    if (file) found.push(file);
    else if (at === null || now - at > DOWNLOADED_MS) await forget(name, kept);
  }
  return found;
}

/** @param {string} name */
export async function forget(name, kept = new KeptRecordings()) {
  await removeStored(name);
  kept.drop(name);
}
