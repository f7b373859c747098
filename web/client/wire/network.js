import { on, onOtherNetwork } from '../platform/other-network.js';
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
    const { page } = this.#env;
    const awake = () => void (this.#wasAsleep() && listener(Infinity));
    const ends = ['visibilitychange', 'resume', 'pageshow'].map((name) => on(page, name, awake));
    const forget = onOtherNetwork(this.#env, () => listener(Infinity));
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      for (const end of [forget, ...ends]) end();
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
