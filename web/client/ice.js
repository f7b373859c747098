import { retryDelay } from './backoff.js';

/** @import { Environment, IceAnswer } from './types.d.ts' */

/** TURN credentials come without their lifetime in the join answer; nobody issues any for less than twice this. */
const FIRST_RENEWAL_MS = 5 * 60_000;
/** No timer needs to be longer, and some cannot be. */
const LONGEST_MS = 24 * 3_600_000;

/** The room's ICE servers, with credentials that are renewed before they expire. */
export class IceServers {
  #env;
  #ask;
  #over;
  #cancel = () => {};
  /** @type {RTCIceServer[]} */
  current = [];

  /**
   * @param {Environment} env
   * @param {() => Promise<IceAnswer>} ask
   * @param {AbortSignal} over
   */
  constructor(env, ask, over) {
    this.#env = env;
    this.#ask = ask;
    this.#over = over;
    over.addEventListener('abort', () => this.#cancel());
  }

  /** @param {RTCIceServer[]} servers */
  set(servers) {
    this.current = servers;
    this.#renewIn(servers.some(({ credential }) => credential) ? FIRST_RENEWAL_MS : null);
  }

  /** @param {number | null} ms */
  #renewIn(ms) {
    this.#cancel();
    if (ms !== null) this.#cancel = this.#env.clock.after(Math.min(ms, LONGEST_MS), () => void this.#renew());
  }

  async #renew(failures = 0) {
    try {
      const { ice_servers: servers, ttl_s: ttl } = await this.#ask();
      this.current = servers;
      this.#renewIn(ttl === null ? null : ttl * 500);
    } catch (error) {
      if (this.#over.aborted) return;
      const delay = Math.max(5_000, retryDelay(error, failures, this.#env.random) ?? FIRST_RENEWAL_MS);
      this.#cancel = this.#env.clock.after(delay, () => void this.#renew(failures + 1));
    }
  }
}
