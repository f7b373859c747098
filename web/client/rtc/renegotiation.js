import { Recovery } from './recovery.js';

/** @import { Environment } from '../types.d.ts' */
/** @import { Connection } from './connection.js' */
/** @import { Steps } from './steps.js' */

/** Unanswered offers in a row, about two minutes' worth, before this end stops making them. */
export const MAX_OFFERS = 4;

/**
 * Watches offers on a connection that is up. One that stays unanswered would leave it in `have-local-offer`, unable to
 * negotiate anything, so it is rolled back (RFC 8829, section 5.7) and made again.
 */
export class Renegotiation {
  #host;
  #steps;
  #recovery;
  /** @type {Connection | null} */
  #connection = null;

  /**
   * @param {Environment} env
   * @param {{ isPolite: () => boolean, canSignal: () => boolean, unanswered: (attempts: number, final: boolean) => void }} host
   * @param {Steps} steps
   */
  constructor(env, host, steps) {
    this.#host = host;
    this.#steps = steps;
    this.#recovery = new Recovery(env, host.isPolite, () => this.#expired());
  }

  /** @param {Connection | null} connection that replaces the one before */
  begin(connection) {
    this.#connection = connection;
    this.#recovery.calm();
  }

  /** The signaling state has changed. */
  look() {
    const { pc, remote } = /** @type {Connection} */ (this.#connection);
    // The first offer is the link's concern: a connection that does not come up is replaced.
    if (pc.signalingState === 'have-local-offer' && remote !== null) this.#recovery.watch('unanswered');
    else this.#recovery.rest();
  }

  /** Something has to be negotiated. */
  offer() {
    const connection = this.#connection;
    if (!this.#gaveUp) this.#steps.put(async () => connection?.offer());
  }

  /** There is a reason to expect an answer again: the peer was heard from, or this end is back in the room. */
  resume() {
    const due = this.#gaveUp;
    this.#recovery.attempts = 0;
    if (due) this.offer();
  }

  get #gaveUp() {
    return this.#recovery.attempts >= MAX_OFFERS;
  }

  #expired() {
    const connection = /** @type {Connection} */ (this.#connection);
    // An outage of signaling explains the silence, and a broken connection is repaired by the link.
    const applies = this.#host.canSignal() && connection.pc.connectionState === 'connected';
    if (!applies) return this.#recovery.watch('unanswered');
    this.#steps.put(async () => {
      if (!(await connection.rollback())) return;
      this.#recovery.attempts += 1;
      this.#host.unanswered(this.#recovery.attempts, this.#gaveUp);
      if (!this.#gaveUp) await connection.offer();
    });
  }
}
