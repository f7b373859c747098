import { retryDelay } from './backoff.js';
import { pause } from '../platform/environment.js';
import { losesSeat } from './poll.js';
import { Problem, RoomEnded, Unreachable } from './problem.js';
import { written } from './queued-message.js';

/** @import { Environment, Message, Receipt, Sent } from '../types.d.ts' */
/** @import { QueuedMessage } from './queued-message.js' */

/**
 * @typedef {{ key: string, body: string }} Parcel each retry has the same bytes and the same key
 *
 * @typedef {object} Carrier
 * @property {(parcel: Parcel) => Promise<{ accepted: Receipt[] }>} post
 * @property {() => Promise<void>} seated
 * @property {() => void} lost
 * @property {AbortSignal} over
 */

export const BATCH_MESSAGES = 50;
/** A little below the server's 256 KiB. */
export const BATCH_BYTES = 250 * 1024;

/**
 * Sends one request at a time, so that messages to a peer arrive in the order in which they were put. Messages that are
 * put meanwhile form the next batch. Only a final refusal drops a message.
 */
export class Outbox {
  #env;
  #carrier;
  /** @type {QueuedMessage[]} */
  #queue = [];
  /** Recipients whose mailbox is full, and when to try them again. @type {Map<string | null, number>} */
  #blocked = new Map();
  #busy = false;
  #nudge = () => {};
  /** @type {Set<() => void>} */
  #onEmpty = new Set();

  /**
   * @param {Environment} env
   * @param {Carrier} carrier
   */
  constructor(env, carrier) {
    this.#env = env;
    this.#carrier = carrier;
  }

  /**
   * @param {string | null} to
   * @param {Message} message
   * @param {Message} [original]
   * @returns {Promise<Sent>}
   */
  put(to, message, original = message) {
    const { over } = this.#carrier;
    if (over.aborted) return Promise.reject(new RoomEnded(over.reason));
    return new Promise((resolve, reject) => {
      this.#queue.push({ to, original, ...written(to, message), alone: false, resolve, reject });
      this.#nudge();
      void this.#pump();
    });
  }

  /**
   * Replaces what is queued, in order.
   *
   * @param {(entry: { to: string | null, original: Message }) => Promise<Message>} change
   */
  async replace(change) {
    for (const entry of [...this.#queue]) Object.assign(entry, written(entry.to, await change(entry)));
  }

  /** Resolves once the queue is empty. @returns {Promise<void>} */
  emptied() {
    return this.#busy ? new Promise((resolve) => void this.#onEmpty.add(resolve)) : Promise.resolve();
  }

  async #pump() {
    if (this.#busy) return;
    this.#busy = true;
    // Messages that are put in the same task form one batch.
    await null;
    try {
      while (this.#queue.length > 0) {
        const batch = this.#next();
        if (batch.length > 0) await this.#deliver(batch);
        else await this.#changed();
      }
    } catch (error) {
      this.#abandon(error);
    } finally {
      this.#busy = false;
      for (const tell of this.#onEmpty) tell();
      this.#onEmpty.clear();
    }
  }

  /** Resolves when a message may have become sendable. */
  #changed() {
    const more = new Promise((resolve) => void (this.#nudge = () => resolve(undefined)));
    const ms = Math.min(...this.#blocked.values()) - this.#env.clock.now();
    return Promise.race([more, pause(this.#env, ms, this.#carrier.over)]);
  }

  /** The longest batch from the front of the queue in which no message overtakes another for the same peer. */
  #next() {
    const now = this.#env.clock.now();
    for (const [to, until] of this.#blocked) if (until <= now) this.#blocked.delete(to);
    /** @type {QueuedMessage[]} */
    const batch = [];
    let bytes = 0;
    let skipped = false;
    for (const entry of this.#queue) {
      if (this.#blocked.has(entry.to)) {
        if (entry.to === null) break;
        skipped = true;
        continue;
      }
      if (entry.to === null && skipped) break;
      const full = batch.length === BATCH_MESSAGES || bytes + entry.bytes > BATCH_BYTES;
      if (batch.length > 0 && (entry.alone || full)) break;
      batch.push(entry);
      bytes += entry.bytes;
      if (entry.alone) break;
    }
    return batch;
  }

  /** @param {QueuedMessage[]} batch */
  async #deliver(batch) {
    const { post, seated, lost, over } = this.#carrier;
    const key = this.#env.uuid();
    for (let failures = 0; ; failures += 1) {
      await seated();
      // The same bytes in each attempt, unless the batch was replaced: then the server has forgotten the attempts before.
      const body = `{"messages":[${batch.map(({ json }) => json).join(',')}]}`;
      try {
        return this.#settle(batch, (await post({ key, body })).accepted);
      } catch (error) {
        if (over.aborted) throw error;
        if (losesSeat(error)) lost();
        else if (this.#refused(batch, error)) return;
        else {
          const delay = retryDelay(error, failures, this.#env.random) ?? 0;
          await pause(this.#env, delay, over, error instanceof Unreachable);
        }
      }
    }
  }

  /**
   * Is an error final for this batch? A batch that was refused because of one message is split.
   *
   * @param {QueuedMessage[]} batch
   * @param {unknown} error
   */
  #refused(batch, error) {
    const delay = retryDelay(error, 0, this.#env.random);
    const full = error instanceof Problem && error.slug === 'mailbox-full';
    if (delay !== null && !full) return false;
    if (batch.length > 1) for (const entry of batch) entry.alone = true;
    else if (full) this.#blocked.set(batch[0].to, this.#env.clock.now() + (delay ?? 0));
    else this.#remove(batch)[0].reject(error);
    return true;
  }

  /**
   * Receipts are in the order of the batch. A message to all has one for each other member, and because a batch is atomic,
   * each such message has the same number.
   *
   * @param {QueuedMessage[]} batch
   * @param {Receipt[]} accepted
   */
  #settle(batch, accepted) {
    const direct = batch.filter(({ to }) => to !== null).length;
    const others = (accepted.length - direct) / Math.max(1, batch.length - direct);
    let at = 0;
    for (const entry of this.#remove(batch)) {
      const receipts = accepted.slice(at, (at += entry.to === null ? others : 1));
      entry.resolve({ seq: entry.to === null ? null : receipts[0]?.seq ?? null, accepted: receipts });
    }
  }

  /** @param {QueuedMessage[]} batch */
  #remove(batch) {
    const gone = new Set(batch);
    this.#queue = this.#queue.filter((entry) => !gone.has(entry));
    return batch;
  }

  /** @param {unknown} error */
  #abandon(error) {
    const { over } = this.#carrier;
    const reason = over.aborted ? new RoomEnded(over.reason) : error;
    for (const entry of this.#remove(this.#queue)) entry.reject(reason);
  }
}
