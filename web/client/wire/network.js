import { Unreachable } from './problem.js';

/** @import { Environment } from '../types.d.ts' */

/**
 * @callback Changed
 * @param {number} since what went out later than this is not in doubt
 * @returns {void}
 */

/** A poll begins or ends at least this often, unless the page is asleep. */
const ASLEEP_MS = 60_000;

const AGAIN = Symbol('ask again');

/**
 * The way to the server. After a change of networks the old connections are black holes, which a browser need not
 * notice: what is under way on them is asked for again instead of being waited for.
 */
export class Network {
  #env;
  /** @type {Set<Changed>} */
  #listeners = new Set();
  /** When a request last began or ended, by the clock on the wall, which goes on while a machine sleeps. */
  #active;

  /** @param {Pick<Environment, 'page' | 'connection' | 'clock'>} env */
  constructor(env) {
    this.#env = env;
    this.#active = env.clock.date();
  }

  /**
   * Tells when requests under way will hardly be answered any more.
   *
   * @param {Changed} listener
   * @returns {() => void} ends it
   */
  onChange(listener) {
    const { page, connection } = this.#env;
    const changed = () => listener(Infinity);
    const awake = () => void (this.#wasAsleep() && listener(Infinity));
    const drop = on(page, 'online', changed);
    const drops = ['visibilitychange', 'resume', 'pageshow'].map((name) => on(page, name, awake));
    const forget = on(connection, 'change', otherKind(connection, changed));
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      for (const end of [drop, forget, ...drops]) end();
    };
  }

  /**
   * Asks, and asks again with each change, for as long as `signal` lets it.
   *
   * @template Result
   * @param {(signal: AbortSignal) => Promise<Result>} attempt rejects if its signal is aborted
   * @param {AbortSignal} [signal]
   * @returns {Promise<Result>}
   */
  async ask(attempt, signal) {
    for (;;) {
      const started = this.#env.clock.now();
      const controller = new AbortController();
      const stop = () => controller.abort(signal?.reason);
      const settle = this.onChange((since) => void (started <= since && controller.abort(AGAIN)));
      signal?.addEventListener('abort', stop);
      if (signal?.aborted) stop();
      this.#active = this.#env.clock.date();
      try {
        return await attempt(controller.signal);
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        if (controller.signal.reason === AGAIN) continue;
        // What went out before a request that nobody answered will not be answered either.
        if (error instanceof Unreachable && error.reason === 'timeout') this.#doubt(started);
        throw error;
      } finally {
        this.#active = this.#env.clock.date();
        settle();
        signal?.removeEventListener('abort', stop);
      }
    }
  }

  /** @param {number} since */
  #doubt(since) {
    for (const listener of [...this.#listeners]) listener(since);
  }

  #wasAsleep() {
    return this.#env.clock.date() - this.#active > ASLEEP_MS;
  }
}

/**
 * @param {EventTarget | undefined} target
 * @param {string} name
 * @param {() => void} listener
 */
function on(target, name, listener) {
  target?.addEventListener(name, listener);
  return () => target?.removeEventListener(name, listener);
}

/**
 * `navigator.connection` changes also where only an estimate of its speed does. Phones say of which kind it is.
 *
 * @param {Environment['connection']} connection
 * @param {() => void} changed
 */
function otherKind(connection, changed) {
  let kind = connection?.type;
  return () => {
    if (kind !== undefined && connection?.type === kind) return;
    kind = connection?.type;
    changed();
  };
}
