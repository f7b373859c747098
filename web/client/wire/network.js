import { Unreachable } from './problem.js';

/** @import { Environment } from '../types.d.ts' */

/**
 * @callback Changed
 * @param {number} since requests sent later than this are not in doubt
 * @returns {void}
 */

/** Polls begin or end at least this often, unless the page is suspended. */
const ASLEEP_MS = 60_000;

const RETRY = Symbol('retry');

/**
 * The path to the server. After a change of network the old connections are black holes, and the browser may not notice:
 * requests in flight on them are sent again.
 */
export class Network {
  #env;
  /** @type {Set<Changed>} */
  #listeners = new Set();
  /** When a request last began or ended, by the wall clock, which advances while a machine sleeps. */
  #active;

  /** @param {Pick<Environment, 'page' | 'connection' | 'clock'>} env */
  constructor(env) {
    this.#env = env;
    this.#active = env.clock.date();
  }

  /**
   * Calls the listener when requests in flight will probably not be answered.
   *
   * @param {Changed} listener
   * @returns {() => void} removes the listener
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
   * Makes an attempt, and another after each change of network, until `signal` is aborted.
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
      const settle = this.onChange((since) => void (started <= since && controller.abort(RETRY)));
      signal?.addEventListener('abort', stop);
      if (signal?.aborted) stop();
      this.#active = this.#env.clock.date();
      try {
        return await attempt(controller.signal);
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        if (controller.signal.reason === RETRY) continue;
        // Requests sent before one that timed out will not be answered either.
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
 * `navigator.connection` also changes with its speed estimate. On phones, `type` tells whether the network changed.
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
