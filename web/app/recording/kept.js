import { lastingStorage } from '../../client/index.js';
import { KEPT } from './kept-key.js';
import { removeStored, storedFile } from './stored-file.js';

/** Until then, a download may still be being written: a copy of a large file takes a while. */
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
 * Marks a recording as this page's, so that others leave it alone until it is saved, or until this page is gone.
 *
 * @param {string} name
 * @returns {() => void} ends that
 */
export function claim(name) {
  let release = () => {};
  const done = new Promise((resolve) => { release = () => resolve(undefined); });
  navigator.locks?.request(LOCK + name, () => done).catch(() => {});
  return release;
}

/**
 * Calls back with each recording whose page was left before it was saved, and after those with the ones that were downloaded a while ago:
 * no page knows whether a download was written, cancelled or blocked, so only the user can have them removed.
 *
 * @param {(file: File, isDownloaded: boolean) => void} found
 */
export async function findLeftBehind(found, kept = new KeptRecordings()) {
  const look = async (/** @type {string} */ name) => {
    const at = kept.all[name];
    if (at === undefined || (at !== null && Date.now() - at < DOWNLOADED_MS)) return;
    const file = await storedFile(name);
    if (file) found(file, at !== null);
    else await forget(name, kept);
  };
  // A page that is still recording, or has just been left, holds a lock.
  const lookAt = (/** @type {string[]} */ names) => Promise.all(names.map((name) => (navigator.locks ? navigator.locks.request(LOCK + name, () => look(name)) : look(name))));
  const { all } = kept;
  const names = Object.keys(all);
  await lookAt(names.filter((name) => all[name] === null));
  await lookAt(names.filter((name) => all[name] !== null));
}

/** @param {string} name */
export async function forget(name, kept = new KeptRecordings()) {
  await removeStored(name);
  kept.drop(name);
}
