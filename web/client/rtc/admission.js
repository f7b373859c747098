import { report } from '../platform/emitter.js';

/** @import { Admit, Candidate, Description, Peer } from '../types.d.ts' */
/** @import { Link } from './link.js' */

/**
 * The peers that were let in before.
 *
 * @typedef {object} Admitted
 * @property {(id: string) => boolean} has
 * @property {(id: string) => void} add
 * @property {() => void} [keep]
 *
 * @typedef {object} Host
 * @property {(peer: Peer) => Link} link a new one creates no connection and sends nothing by itself
 * @property {(peer: Peer, offer?: Description | Candidate) => void} declined tells the peer
 *
 * @typedef {object} Question
 * @property {AbortController} life
 * @property {(link: Link) => void} connect
 * @property {(Description | Candidate)[]} held
 */

/** More than any browser gathers for one description. */
const MAX_HELD = 128;

/**
 * Decides who is connected with. While the question about a peer is open there is no link with it, so nothing can be sent to
 * it; what arrives from it is held back.
 */
export class Admission {
  #admit;
  #admitted;
  #host;
  /** By peer id. @type {Map<string, Question>} */
  #questions = new Map();
  /** @type {Set<string>} */
  #declined = new Set();

  /**
   * @param {Admit | undefined} admit without it, everybody is let in
   * @param {Admitted} admitted
   * @param {Host} host
   */
  constructor(admit, admitted, host) {
    this.#admit = admit;
    this.#admitted = admitted;
    this.#host = host;
    if (admit) admitted.keep?.();
  }

  /** Is a question open? */
  get isAsking() {
    return this.#questions.size > 0;
  }

  /**
   * Connects with a peer: now, or when it is let in.
   *
   * @param {Peer} peer
   * @param {(link: Link) => void} connect
   */
  pass(peer, connect) {
    const admit = this.#admit;
    if (!admit || this.#admitted.has(peer.id)) return connect(this.#host.link(peer));
    if (this.#declined.has(peer.id)) return;
    const open = this.#questions.get(peer.id);
    if (open) open.connect = connect;
    else void this.#ask(admit, peer, connect);
  }

  /**
   * Takes a message from a peer.
   *
   * @param {Peer} peer
   * @param {Description | Candidate} signal
   */
  take(peer, signal) {
    if (!this.#admit || this.#admitted.has(peer.id)) return this.#host.link(peer).take(signal);
    if (this.#declined.has(peer.id)) {
      if (signal.type === 'offer') this.#host.declined(peer, signal);
      return;
    }
    // It may offer again after it has hung up.
    this.pass(peer, this.#questions.get(peer.id)?.connect ?? ((link) => link.expect()));
    const question = this.#questions.get(peer.id);
    if (!question) return;
    // A later offer replaces the one before, with its candidates.
    const full = question.held.length >= MAX_HELD;
    if (signal.type === 'offer' && (full || question.held.some(({ type }) => type === 'offer'))) question.held = [];
    else if (full) return;
    question.held.push(signal);
  }

  /** The peer no longer asks to be connected with. @param {string} id */
  withdraw(id) {
    this.#questions.get(id)?.life.abort();
    this.#questions.delete(id);
  }

  /** The peer left. @param {string} id */
  forget(id) {
    this.withdraw(id);
    this.#declined.delete(id);
  }

  /** The call is over. */
  end() {
    for (const id of [...this.#questions.keys()]) this.withdraw(id);
    this.#declined.clear();
  }

  /**
   * @param {Admit} admit
   * @param {Peer} peer
   * @param {(link: Link) => void} connect
   */
  async #ask(admit, peer, connect) {
    /** @type {Question} */
    const question = { life: new AbortController(), connect, held: [] };
    const { signal } = question.life;
    this.#questions.set(peer.id, question);
    const admitted = await answered(admit, peer, signal);
    if (signal.aborted) return;
    this.#questions.delete(peer.id);
    if (!admitted) {
      this.#declined.add(peer.id);
      return this.#host.declined(peer, question.held.find(({ type }) => type === 'offer'));
    }
    this.#admitted.add(peer.id);
    const link = this.#host.link(peer);
    question.connect(link);
    for (const held of question.held) link.take(held);
  }
}

/**
 * A question that fails lets nobody in.
 *
 * @param {Admit} admit
 * @param {Peer} peer
 * @param {AbortSignal} signal
 */
async function answered(admit, peer, signal) {
  try {
    return (await admit(peer, { signal })) === true;
  } catch (error) {
    if (!signal.aborted) report(error);
    return false;
  }
}
