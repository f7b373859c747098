/** @import { Environment } from '../types.d.ts' */

/**
 * The tab's storage, or memory where that fails: if all cookies are blocked its getter throws, some WebViews have null
 * there, and a full one takes nothing more. Never throws. What is only in memory is lost with the page.
 *
 * @param {() => Storage | null} real
 * @returns {Environment['storage']}
 */
export function lenientStorage(real) {
  /** Entries that the real storage did not take. @type {Map<string, string>} */
  const memory = new Map();
  return {
    getItem(key) {
      return memory.get(key) ?? attempt(() => real()?.getItem(key)) ?? null;
    },
    setItem(key, value) {
      const taken = attempt(() => write(real(), key, value));
      if (taken) return void memory.delete(key);
      memory.set(key, value);
      // A reload must not find the old value.
      attempt(() => real()?.removeItem(key));
    },
    removeItem(key) {
      memory.delete(key);
      attempt(() => real()?.removeItem(key));
    },
  };
}

/**
 * @param {Storage | null} storage
 * @param {string} key
 * @param {string} value
 */
function write(storage, key, value) {
  storage?.setItem(key, value);
  return Boolean(storage);
}

/** One for the whole page, so that it remembers from one join to the next. */
export const tabStorage = lenientStorage(() => globalThis.sessionStorage);

/** What all tabs share, and what lasts longer than they do. */
export const lastingStorage = lenientStorage(() => globalThis.localStorage);

/**
 * @template Result
 * @param {() => Result} action
 */
function attempt(action) {
  try {
    return action();
  } catch {
    return undefined;
  }
}
