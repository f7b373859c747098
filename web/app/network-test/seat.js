import { BASE } from '../base.js';
import { Unreachable, endpoints, environment, isStale, request } from '../../client/index.js';

/** @import { Endpoints, Environment, Joined } from '../../client/types.d.ts' */

/** How long the server may take beyond a hold before the poll counts as lost, as in a call. */
const GRACE_MS = 10_000;

/** A seat in a room that nobody else knows, for tests. */
export class Seat {
  #env;
  #at;
  /** @type {Joined} */
  joined;

  /**
   * @param {Environment} env
   * @param {Endpoints} at
   * @param {Joined} joined
   */
  constructor(env, at, joined) {
    this.#env = env;
    this.#at = at;
    this.joined = joined;
  }

  /**
   * @param {AbortSignal} signal
   * @param {Seat} [other] in whose room it is to be
   */
  static async take(signal, other) {
    const env = environment({});
    const at = endpoints(BASE, other?.joined.room ?? `network-test-${env.uuid()}`, env.uuid());
    const body = JSON.stringify({ page: at.page });
    const answer = await request(env, { method: 'POST', url: at.join, body, key: env.uuid(), expects: 'token', signal });
    return new Seat(env, at, answer.body);
  }

  /**
   * A poll that ends only with its hold, because nobody else is in the room.
   *
   * @param {number} waitMs
   * @param {AbortSignal} signal
   */
  async poll(waitMs, signal) {
    const { peer, token, cursor } = this.joined;
    const url = this.#at.mailbox(peer.id, waitMs);
    const { body } = await request(this.#env, { method: 'GET', url, token, cursor, expects: 'messages', timeoutMs: waitMs + GRACE_MS, signal });
    if (isStale(body, cursor)) throw new Unreachable('stale');
  }

  /** For a page that is unloaded. */
  goodbye() {
    this.#env.beacon(this.#at.leave(this.joined.peer.id), this.joined.token);
  }

  async leave() {
    const { peer, token } = this.joined;
    await request(this.#env, { method: 'DELETE', url: this.#at.seat(peer.id), token, keepalive: true }).catch(() => {});
  }
}
