import { retryDelay } from '../wire/backoff.js';

/** @import { Environment, IceAnswer } from '../types.d.ts' */

/** After a refusal that says nothing of when to come back. */
const REFUSED_MS = 60_000;
const SHORTEST_MS = 5_000;
/** No timer needs to be longer, and some cannot be. */
const LONGEST_MS = 24 * 3_600_000;

/** The room's ICE servers, with credentials that are renewed halfway through their life. */
export class IceServers {
  #env;
  #ask;
  #changed;
  #cancel = () => {};
  /** Counts the answers, and the end: a renewal that either has overtaken is of no use. */
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
    // How long they hold counts from now; when they end, which the user name says, is told by another's clock.
    if (typeof ttl === 'number') {
      const half = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, ttl * 500));
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
      const delay = Math.max(SHORTEST_MS, retryDelay(error, failures, this.#env.random) ?? REFUSED_MS);
      this.#cancel = this.#env.clock.after(delay, () => void this.#renew(failures + 1));
    }
  }

  #turn() {
    this.#round += 1;
    this.#cancel();
  }
}
