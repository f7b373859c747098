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
  #refreshing = false;
  /** Counts answers, and the end: a renewal that was overtaken by either is discarded. */
  #round = 0;
  /** @type {RTCIceServer[]} */
  current = [];
  /** The server gives no TURN credentials to a peer that is alone. */
  withheld = false;

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
    this.withheld = ttl === 0;
    // Those from before are perhaps still valid.
    if (!this.withheld || this.current.length === 0) this.current = servers;
    // Their lifetime counts from now. The expiry in the user name is by the server's clock, which may differ.
    if (typeof ttl === 'number' && ttl > 0) {
      const half = Math.min(MAX_MS, Math.max(MIN_MS, ttl * 500));
      this.#cancel = this.#env.clock.after(half, () => void this.#renew());
    }
    this.#changed(this.current);
  }

  /** Asks again at once: a relay may have gone, and the server names another. Without credentials there is nothing to renew. */
  async refresh() {
    if (this.#refreshing || !this.current.some(({ credential }) => credential)) return;
    this.#refreshing = true;
    await this.#renew().finally(() => void (this.#refreshing = false));
  }

  /** Gets what was withheld, now that somebody is there. */
  async fetch() {
    this.withheld = false;
    await this.#renew();
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
