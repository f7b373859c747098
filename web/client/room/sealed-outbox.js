/** @import { Message, Sent } from '../types.d.ts' */
/** @import { Outbox } from '../wire/outbox.js' */
/** @import { Sealing } from './sealing.js' */

/** Seals messages, which takes a moment, and puts them into the outbox in the order in which they came. */
export class SealedOutbox {
  #outbox;
  #sealing;
  /** @type {Promise<unknown>} */
  #turn = Promise.resolve();

  /**
   * @param {Outbox} outbox
   * @param {Sealing} sealing
   */
  constructor(outbox, sealing) {
    this.#outbox = outbox;
    this.#sealing = sealing;
  }

  /**
   * @param {string | null} to
   * @param {Message} message
   * @returns {Promise<Sent>}
   */
  async put(to, message) {
    // In an object, so that the next message waits for this one to be queued and not for it to be sent.
    const { sent } = await this.#inTurn(async () => ({ sent: this.#outbox.put(to, await this.#sealing.seal(to, message), message) }));
    return sent;
  }

  /** This member has a new id, and what is queued was sealed with the one before. */
  reseal() {
    return this.#inTurn(() => this.#outbox.replace(({ to, original }) => this.#sealing.seal(to, original)));
  }

  async emptied() {
    await this.#turn;
    await this.#outbox.emptied();
  }

  /**
   * @template Result
   * @param {() => Promise<Result>} act
   * @returns {Promise<Result>}
   */
  #inTurn(act) {
    const done = this.#turn.then(act);
    this.#turn = done.catch(() => {});
    return done;
  }
}
