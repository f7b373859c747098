/** @import { Environment } from '../types.d.ts' */

/**
 * What a link may wait for: the other's offer; an answer to ours, after an offer of the other's was ignored in its
 * favour; a connection; a connection that was there to come back.
 *
 * @typedef {'waiting' | 'ignored' | 'connecting' | 'interrupted'} Phase
 */

const PATIENCE_MS = { waiting: 5_000, ignored: 3_000, connecting: 8_000, interrupted: 3_000 };
const LONGEST_MS = 60_000;
/** With growing patience, about five minutes of trying. */
export const MOST_ATTEMPTS = 8;

/**
 * How long to wait before doing something about it. It grows with each attempt; and the polite end waits half as long
 * again, because two ends that repair at the same moment undo each other's work.
 *
 * @param {Phase} phase
 * @param {{ attempts: number, polite: boolean }} link
 */
export function patience(phase, { attempts, polite }) {
  return Math.min(LONGEST_MS, PATIENCE_MS[phase] * 1.5 ** attempts) * (polite ? 1.5 : 1);
}

/** Watches one link, and calls for repair when a phase takes too long. */
export class Recovery {
  #env;
  #polite;
  #repair;
  #cancel = () => {};
  /** Connections that were built in vain since the last that worked. */
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

  /** Nothing to watch for now. */
  rest() {
    this.#cancel();
    this.#cancel = () => {};
  }

  /** All is well. */
  calm() {
    this.rest();
    this.attempts = 0;
  }
}
