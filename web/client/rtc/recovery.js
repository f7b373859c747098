/** @import { Environment } from '../types.d.ts' */

/**
 * What a link waits for: the peer's offer; an answer, after an offer of the peer's was ignored in favour of ours; a
 * connection; one with a peer that calls by WHIP, which has the answer when all candidates are in it; a broken connection to come back by
 * itself; an answer on a connection that is up.
 *
 * @typedef {'waiting' | 'ignored' | 'connecting' | 'answered' | 'interrupted' | 'unanswered'} Phase
 */

/** `unanswered` exceeds a peer's usual back-off after a lost poll: nothing is broken, so there is no hurry. */
const PATIENCE_MS = { waiting: 5_000, ignored: 3_000, connecting: 8_000, answered: 30_000, interrupted: 3_000, unanswered: 15_000 };
const MAX_PATIENCE_MS = 60_000;
/** With growing patience, about five minutes of trying. */
export const MAX_ATTEMPTS = 8;

/**
 * How long to wait before acting. Grows with each attempt. The polite end waits 1.5 times as long, because two ends that
 * repair at the same moment undo each other's work.
 *
 * @param {Phase} phase
 * @param {{ attempts: number, polite: boolean }} link
 */
export function patience(phase, { attempts, polite }) {
  return Math.min(MAX_PATIENCE_MS, PATIENCE_MS[phase] * 1.5 ** attempts) * (polite ? 1.5 : 1);
}

/** Watches one link and calls for repair when a phase takes too long. */
export class Recovery {
  #env;
  #polite;
  #repair;
  #cancel = () => {};
  /** Failed attempts since the last success. */
  attempts = 0;

  /**
   * @param {Environment} env
   * @param {() => boolean} polite
   * @param {(phase: Phase) => void} repair
   */
  constructor(env, polite, repair) {
    this.#env = env;
    this.#polite = polite;
    this.#repair = repair;
  }

  /** @param {Phase} phase */
  watch(phase) {
    this.rest();
    const ms = patience(phase, { attempts: this.attempts, polite: this.#polite() });
    this.#cancel = this.#env.clock.after(ms, () => this.#repair(phase));
  }

  /** Stops watching. */
  rest() {
    this.#cancel();
    this.#cancel = () => {};
  }

  /** All is well: later waits are short again. */
  calm() {
    this.rest();
    this.attempts = 0;
  }
}
