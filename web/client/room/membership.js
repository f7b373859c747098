import { backoff, bounded, retryDelay } from '../wire/backoff.js';
import { pause } from '../platform/environment.js';
import { Gate } from '../wire/gate.js';
import { Poll } from '../wire/poll.js';
import { Problem } from '../wire/problem.js';

/** @import { Entry, Session } from './session.js' */
/** @import { Batch, Ending, Environment, RoomStatus } from '../types.d.ts' */

/**
 * @typedef {object} Listener
 * @property {(entry: Entry) => void | Promise<void>} entered the seat was taken again
 * @property {(batch: Batch) => void | Promise<void>} received
 * @property {() => number} cursor
 * @property {(state: RoomStatus, error?: Error) => void} changed
 */

/** How long the server may take beyond a poll's hold before the poll counts as lost. */
const GRACE_MS = 10_000;

/**
 * Keeps the seat until the end: reads the mailbox, and takes the seat again whenever it is lost. It knows nothing of peer
 * connections, so calls survive.
 */
export class Membership {
  #env;
  #session;
  #listener;
  #life = new AbortController();
  /** Aborted when the current run of polls has to end. */
  #spell = new AbortController();
  #seated = new Gate();
  #shown = new Gate();
  #rejoins = 0;

  /**
   * @param {Environment} env
   * @param {Session} session
   * @param {Listener} listener
   */
  constructor(env, session, listener) {
    this.#env = env;
    this.#session = session;
    this.#listener = listener;
    this.#shown.open();
  }

  /** Aborted, with the {@link Ending} as its reason, once the room is over for this page. */
  get over() {
    return this.#life.signal;
  }

  /** Resolves while the seat is held. */
  seated() {
    return this.#seated.passed(this.over);
  }

  /** The seat is gone, or may be. */
  lost() {
    this.#interrupt('lost');
  }

  /** The page is in the back-forward cache, perhaps for good. */
  suspend() {
    this.#shown.shut();
    this.#interrupt('suspended');
  }

  resume() {
    this.#shown.open();
  }

  /**
   * @param {'superseded' | 'closed' | 'kicked'} state
   * @param {Error} [error]
   */
  end(state, error) {
    if (this.over.aborted) return;
    this.#life.abort(state);
    this.#interrupt(state);
    this.#listener.changed(state, error);
  }

  /**
   * Runs until the end.
   *
   * @param {number} waitMaxMs
   */
  async keep(waitMaxMs) {
    const poll = new Poll(this.#env, this.#mailbox(), waitMaxMs);
    try {
      while (!this.over.aborted) {
        this.#seated.open();
        this.#spell = new AbortController();
        const ending = await poll.run(this.#spell.signal);
        this.#seated.shut();
        if (ending !== 'lost' && ending !== 'suspended') return this.end(ending);
        await this.#comeBack();
      }
    } catch (error) {
      const kicked = error instanceof Problem && error.slug === 'kicked';
      if (!this.over.aborted) this.end(kicked ? 'kicked' : 'closed', /** @type {Error} */ (error));
    }
  }

  async #comeBack() {
    await this.#shown.passed(this.over);
    this.#listener.changed('reconnecting');
    // Back off if the last seat was lost before a poll succeeded.
    if (this.#rejoins > 0) await pause(this.#env, backoff(this.#rejoins, this.#env.random), this.over);
    this.#rejoins += 1;
    const entry = await this.#session.enter({ signal: this.over, delayOf: rejoinDelay });
    await this.#listener.entered(entry);
    this.#listener.changed('connected');
  }

  /** @returns {import('../wire/poll.js').Mailbox} */
  #mailbox() {
    const { seat, answer, at } = bound(this.#session);
    const { network } = this.#session;
    return {
      cursor: this.#listener.cursor,
      onChange: (listener) => network.onChange(listener),
      read: async ({ waitMs, cursor, unique, signal }) => {
        const { body, date } = await answer({
          method: 'GET',
          url: at.mailbox(seat().peer, waitMs) + (unique ? `&nonce=${this.#env.uuid()}` : ''),
          cursor,
          expects: 'messages',
          timeoutMs: waitMs + GRACE_MS,
          signal,
        });
        return { batch: body, date };
      },
      deliver: (batch) => {
        this.#rejoins = 0;
        return this.#listener.received(batch);
      },
      report: this.#listener.changed,
    };
  }

  /** @param {Ending} ending */
  #interrupt(ending) {
    this.#seated.shut();
    this.#spell.abort(ending);
  }
}

/** @param {Session} session */
function bound(session) {
  return { at: session.at, seat: () => session.seat, answer: session.answer.bind(session) };
}

/**
 * A member that lost its seat waits until one is free; a newcomer is told that the room is full.
 *
 * @param {unknown} error
 * @param {number} failures
 * @param {() => number} random
 */
function rejoinDelay(error, failures, random) {
  if (error instanceof Problem && error.slug === 'room-full') {
    const ms = error.document.frees_in_ms;
    return bounded(typeof ms === 'number' ? Math.max(1_000, ms) : 5_000) * (1 + 0.2 * random());
  }
  return retryDelay(error, failures, random);
}
