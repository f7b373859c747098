import { backoff, retryDelay } from './backoff.js';
import { pause } from '../platform/environment.js';
import { OPEN_MS, answered, cut, freshHold, timedOut } from './hold.js';
import { Problem, Unreachable } from './problem.js';
import { Dates, isStale } from './stale.js';

/** @import { Hold } from './hold.js' */
/** @import { Changed } from './network.js' */
/** @import { Batch, Ending, Environment, RoomStatus } from '../types.d.ts' */

/**
 * @typedef {object} Read
 * @property {number} waitMs
 * @property {number} cursor
 * @property {boolean} unique at a URL that no cache can have seen
 * @property {AbortSignal} signal
 *
 * @typedef {object} Mailbox how the loop reads, and what it notifies
 * @property {(read: Read) => Promise<{ batch: Batch, date: string | null }>} read
 * @property {(listener: Changed) => () => void} onChange of the network
 * @property {() => number} cursor up to which everything has been delivered
 * @property {(batch: Batch) => void | Promise<void>} deliver
 * @property {(state: 'connected' | 'reconnecting', error?: Error) => void} report
 */

/** An empty response that arrived sooner than this was not held. */
const HASTY_MS = 1_000;

const RETRY = Symbol('retry');

/**
 * Does an error of a poll end polling? Null if it only calls for a pause.
 *
 * @param {unknown} error
 * @returns {Ending | null}
 */
export function endingOf(error) {
  if (!(error instanceof Problem)) return null;
  if (error.slug === 'poll-superseded') return 'superseded';
  if (error.slug === 'kicked') return 'kicked';
  if (error.slug === 'room-closed') return 'closed';
  const lost = [401, 403, 404, 410].includes(error.status) || error.slug === 'cursor-ahead';
  return lost ? 'lost' : null;
}

/**
 * Some proxies replace 404 and 410 by pages of their own. Such a page may mean that the seat is gone, and joining tells: if it is not, nothing is
 * lost.
 *
 * @param {unknown} error
 */
function isPageForGone(error) {
  return error instanceof Unreachable && (error.status === 404 || error.status === 410);
}

/**
 * Does the server no longer know the sender of a message? (An unknown recipient is something else.)
 *
 * @param {unknown} error
 */
export function losesSeat(error) {
  return error instanceof Problem && error.slug !== 'peer-unknown' && endingOf(error) !== null;
}

/**
 * Long-polls a mailbox until something ends that, and returns what. Each batch is delivered before its cursor is sent,
 * because the cursor is the acknowledgement.
 */
export class Poll {
  #env;
  #mailbox;
  /** @type {AbortSignal} */
  #signal = AbortSignal.abort();
  /** @type {Hold} */
  #hold;
  /** Consecutive failures. @type {number} */
  #failures = 0;
  /** Consecutive empty responses that were not held. @type {number} */
  #hasty = 0;
  #dates = new Dates();
  /** Asks for no hold, to learn at once whether the server is back. */
  #probing = false;
  /** The age at which a gateway ended the last poll. If the server is there, it was because the poll was idle. @type {number | null} */
  #endedAt = null;
  /** A cache has responded, so each request gets a URL of its own. */
  #unique = false;

  /**
   * @param {Environment} env
   * @param {Mailbox} mailbox
   * @param {number} waitMaxMs
   */
  constructor(env, mailbox, waitMaxMs) {
    this.#env = env;
    this.#mailbox = mailbox;
    this.#hold = freshHold(waitMaxMs);
  }

  /**
   * @param {AbortSignal} signal its reason is the {@link Ending}
   * @returns {Promise<Ending>}
   */
  async run(signal) {
    this.#signal = signal;
    try {
      for (;;) {
        const ending = await this.#once();
        if (ending) return ending;
      }
    } catch (error) {
      if (signal.aborted) return signal.reason;
      throw error;
    }
  }

  /** @returns {Promise<Ending | null>} */
  async #once() {
    const waitMs = this.#probing ? 0 : this.#hold.ms;
    const started = this.#env.clock.now();
    const age = () => this.#env.clock.now() - started;
    const attempt = new AbortController();
    const stop = () => attempt.abort(this.#signal.reason);
    this.#signal.addEventListener('abort', stop);
    const settle = this.#mailbox.onChange((since) => void (started <= since && this.#changed(since, attempt)));
    try {
      await this.#took(await this.#read(waitMs, attempt.signal), waitMs, age());
      return null;
    } catch (error) {
      if (this.#signal.aborted) throw this.#signal.reason;
      if (error === RETRY) return null;
      const ending = endingOf(error) ?? (this.#failures > 0 && isPageForGone(error) ? 'lost' : null);
      if (ending) this.#endedAt = null;
      else await this.#failed(error, waitMs, age());
      return ending;
    } finally {
      settle();
      this.#signal.removeEventListener('abort', stop);
    }
  }

  /**
   * @param {number} since
   * @param {AbortController} attempt
   */
  #changed(since, attempt) {
    // A different network has different proxies.
    if (since === Infinity) {
      this.#hold = freshHold(this.#hold.longest);
      this.#endedAt = null;
      this.#unique = false;
    }
    attempt.abort(RETRY);
  }

  /**
   * @param {number} waitMs
   * @param {AbortSignal} signal
   */
  async #read(waitMs, signal) {
    if (this.#signal.aborted) throw this.#signal.reason;
    const cursor = this.#mailbox.cursor();
    const { batch, date } = await this.#mailbox.read({ waitMs, cursor, unique: this.#unique, signal });
    if (isStale(batch, cursor) || this.#dates.isRepeated(date, this.#env.clock.now())) throw new Unreachable('stale');
    return batch;
  }

  /**
   * @param {Batch} batch
   * @param {number} waitMs
   * @param {number} age
   */
  async #took(batch, waitMs, age) {
    const probed = this.#probing;
    this.#probing = false;
    this.#failures = 0;
    if (this.#endedAt !== null) this.#hold = timedOut(this.#hold, this.#endedAt);
    else if (waitMs > 0) this.#hold = answered(this.#hold, age);
    this.#endedAt = null;
    this.#mailbox.report('connected');
    await this.#mailbox.deliver(batch);
    // If an intermediary strips `wait` or responds from a cache, this must not become a flood of requests.
    const hasty = !probed && batch.messages.length === 0 && age < HASTY_MS;
    this.#hasty = hasty ? this.#hasty + 1 : 0;
    this.#unique ||= hasty;
    if (hasty) await pause(this.#env, backoff(this.#hasty, this.#env.random), this.#signal);
  }

  /**
   * @param {unknown} error
   * @param {number} waitMs
   * @param {number} age
   */
  async #failed(error, waitMs, age) {
    if (!(error instanceof Problem) && !(error instanceof Unreachable)) throw error;
    if (error instanceof Unreachable) {
      if (error.reason === 'gateway' && waitMs > 0 && age >= OPEN_MS) {
        // Or it cannot reach the server, and took its time to say so. The next request tells.
        this.#endedAt = age;
        this.#probing = true;
        return;
      }
      if (waitMs > 0) this.#hold = cut(this.#hold, age);
    }
    this.#endedAt = null;
    const stale = error instanceof Unreachable && error.reason === 'stale';
    this.#unique ||= stale;
    const limited = error instanceof Problem && error.slug === 'rate-limited';
    if (!limited) this.#mailbox.report('reconnecting', error);
    const { random } = this.#env;
    const delay = retryDelay(error, this.#failures, random) ?? backoff(this.#failures, random);
    this.#failures += 1;
    // A cache says nothing about the server, and a refusal shows that it is up.
    this.#probing = !stale && !limited;
    await pause(this.#env, delay, this.#signal, error instanceof Unreachable);
  }
}
