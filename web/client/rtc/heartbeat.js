/** @import { Environment, LinkState, Message } from '../types.d.ts' */

/**
 * Tells the server that the connection with an encoder or player is there, which does not poll: its seat lasts while heartbeats arrive
 * (docs/whip.md).
 */
export class Heartbeat {
  #env;
  #host;
  /** @type {(() => void) | null} */
  #cancel = null;

  /**
   * @param {Pick<Environment, 'clock'>} env
   * @param {{ leaseMs: () => number, send: (message: Message) => void }} host
   */
  constructor(env, host) {
    this.#env = env;
    this.#host = host;
  }

  /** The link's state has changed. @param {LinkState} state */
  look(state) {
    if (state === 'connected') {
      if (!this.#cancel) this.#beat();
    } else if (state !== 'interrupted') {
      this.#cancel?.();
      this.#cancel = null;
    }
  }

  #beat() {
    this.#host.send({ type: 'data', data: { whip: 'alive' } });
    this.#cancel = this.#env.clock.after(this.#host.leaseMs() / 3, () => this.#beat());
  }
}
