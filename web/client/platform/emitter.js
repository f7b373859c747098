/** @import { Listenable } from '../types.d.ts' */

/**
 * Named events with typed details. A listener that throws is reported like any uncaught error; the others still hear of
 * the event.
 *
 * @template {object} Events
 * @implements {Listenable<Events>}
 */
export class Emitter {
  /** @type {Map<keyof Events, Set<(detail: any) => void>>} */
  #listeners = new Map();

  /**
   * @template {keyof Events} Name
   * @param {Name} name
   * @param {(detail: Events[Name]) => void} listener
   * @returns {() => void} ends the subscription
   */
  on(name, listener) {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /**
   * @template {keyof Events} Name
   * @param {Name} name
   * @param {Events[Name]} detail
   */
  emit(name, detail) {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        listener(detail);
      } catch (error) {
        report(error);
      }
    }
  }
}

/** Node.js and older browsers have no `reportError`. @param {unknown} error */
export function report(error) {
  if (typeof reportError === 'function') return reportError(error);
  queueMicrotask(() => { throw error; });
}
