import { retryDelay } from '../wire/backoff.js';
import { request } from '../wire/http.js';
import { Network } from '../wire/network.js';
import { persist } from '../wire/persist.js';
import { Problem } from '../wire/problem.js';
import { AdmittedPeers } from './admitted.js';
import { KeptSeat } from './seat.js';

/** @import { Sealing } from './sealing.js' */
/** @import { Seat } from './seat.js' */
/** @import { ApiRequest, Endpoints, Environment, Joined, Retry, Wishes } from '../types.d.ts' */

/**
 * `resumed`: seat, mailbox and cursor are the same as before.
 *
 * @typedef {{ joined: Joined, resumed: boolean }} Entry
 */

/** After one of these there is no seat to come back to. */
const UNSEATED = new Set(['kicked', 'room-closed', 'token-invalid']);

/** This page's identity in the room: takes the seat, takes it again, and sends requests with its token. */
export class Session {
  #env;
  #wishes;
  #kept;
  /** @type {Seat | null} */
  #seat;

  /**
   * @param {Environment} env
   * @param {Endpoints} at
   * @param {Wishes} wishes
   * @param {Sealing | null} [sealing]
   */
  constructor(env, at, { name, metadata, secret, capacity, ticket }, sealing = null) {
    this.#env = env;
    this.at = at;
    this.sealing = sealing;
    this.#wishes = JSON.stringify({ name, metadata, secret, capacity, ticket, page: at.page });
    const kept = sealing ? `${at.root}#${sealing.tag}` : at.root;
    this.#kept = new KeptSeat(env.storage, kept);
    this.network = new Network(env);
    this.#seat = this.#kept.load();
    this.admitted = new AdmittedPeers(env.storage, kept, this.#seat !== null);
  }

  /** Null before the first join, and while a seat that the server does not know is taken anew. */
  get heldSeat() {
    return this.#seat;
  }

  /** Throws if there is none. @returns {Seat} */
  get seat() {
    if (!this.#seat) throw new Error('There is no seat yet.');
    return this.#seat;
  }

  /**
   * Joins: with the kept seat, if any, and as a new peer if the server does not recognise it.
   *
   * @param {{ signal?: AbortSignal, onRetry?: (retry: Retry) => void, delayOf?: typeof retryDelay }} [options]
   * @returns {Promise<Entry>}
   */
  async enter(options = {}) {
    const back = this.#seat !== null;
    try {
      return await this.#join(options);
    } catch (error) {
      if (!(error instanceof Problem) || !UNSEATED.has(error.slug)) throw error;
      this.forget();
      if (back && error.slug === 'token-invalid') return await this.#join(options);
      throw error;
    }
  }

  /** @param {{ signal?: AbortSignal, onRetry?: (retry: Retry) => void, delayOf?: typeof retryDelay }} options */
  async #join(options) {
    const { at } = this;
    /** @type {ApiRequest} */
    const ask = {
      method: 'POST',
      url: at.join,
      token: this.#seat?.token,
      body: this.#wishes,
      key: this.#env.uuid(),
      expects: 'token',
    };
    const attempt = (/** @type {AbortSignal} */ signal) => request(this.#env, { ...ask, signal });
    const { status, body } = await persist(this.#env, () => this.network.ask(attempt, options.signal), options);
    const joined = this.sealing ? await this.sealing.joined(body) : /** @type {Joined} */ (body);
    const roomToken = joined.room_token ?? this.#seat?.roomToken;
    this.#seat = { peer: joined.peer.id, token: joined.token, roomToken };
    this.#kept.save(this.#seat);
    this.admitted.chosen(joined.peers);
    return { joined, resumed: status === 200 };
  }

  /**
   * Sends a request with the seat's token, unless it has another.
   *
   * @param {ApiRequest} ask
   */
  async ask(ask) {
    return (await this.answer(ask)).body;
  }

  /** @param {ApiRequest} ask */
  answer(ask) {
    const attempt = (/** @type {AbortSignal} */ signal) => request(this.#env, { token: this.#seat?.token, ...ask, signal });
    return this.network.ask(attempt, ask.signal);
  }

  /** From now on a reload does not return to this seat. */
  unkeep() {
    if (this.#seat) this.#kept.drop(this.#seat);
  }

  /** Gives up the seat without telling the server. */
  forget() {
    this.unkeep();
    this.#seat = null;
  }
}
