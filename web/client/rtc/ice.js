import { retryDelay } from '../wire/backoff.js';

/** @import { Environment, IceAnswer } from '../types.d.ts' */

/** After a refusal without `Retry-After`. */
const REFUSED_MS = 60_000;
const MIN_MS = 5_000;
/** Long enough, and below the 2^31 ms that timers take. */
const MAX_MS = 24 * 3_600_000;

/** The room's ICE servers. Their credentials are renewed halfway through their lifetime. */
export class IceServers {
  #env;
  #ask;
  #changed;
  #cancel = () => {};
  /** Counts answers, and the end: a renewal that was overtaken by either is discarded. */
  #round = 0;
  /** @type {RTCIceServer[]} */
  current = [];

  /**
   * @param {Environment} env
   * @param {() => Promise<IceAnswer>} ask
   * @param {AbortSignal} over
   * @param {(servers: RTCIceServer[]) => void} changed
   */
  constructor(env, ask, over, changed) {
    this.#env = env;
    this.#ask = ask;
    this.#changed = changed;
    over.addEventListener('abort', () => this.#turn());
  }

  /** @param {IceAnswer} answer */
  set({ ice_servers: servers, ttl_s: ttl }) {
    this.#turn();
    this.current = servers;
    // Their lifetime counts from now. The expiry in the user name is by the server's clock, which may differ.
    if (typeof ttl === 'number') {
      const half = Math.min(MAX_MS, Math.max(MIN_MS, ttl * 500));
      this.#cancel = this.#env.clock.after(half, () => void this.#renew());
    }
    this.#changed(servers);
  }

  async #renew(failures = 0) {
    const round = this.#round;
    try {
      const answer = await this.#ask();
      if (round === this.#round) this.set(answer);
    } catch (error) {
      if (round !== this.#round) return;
      const delay = Math.max(MIN_MS, retryDelay(error, failures, this.#env.random) ?? REFUSED_MS);
      this.#cancel = this.#env.clock.after(delay, () => void this.#renew(failures + 1));
    }
  }

  #turn() {
    this.#round += 1;
    this.#cancel();
  }
}
