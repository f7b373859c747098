import { Problem, Unreachable } from './problem.js';

const FIRST_MS = 500;
const LONGEST_MS = 8_000;
const LEAST_ASKED_MS = 500;
const MOST_ASKED_MS = 30_000;

/**
 * How long to wait after the failure number `failures` (0 is the first). With full jitter: anything between nothing
 * and a ceiling that doubles, so that clients which lost the server together do not come back together.
 *
 * @param {number} failures
 * @param {() => number} random
 */
export function backoff(failures, random) {
  return random() * Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures, 30));
}

/** Refusals that time heals. */
const PASSING = new Set(['rate-limited', 'mailbox-full', 'draining']);

/**
 * How long to wait before trying a failed request again, or null if trying again is pointless.
 *
 * @param {unknown} error
 * @param {number} failures
 * @param {() => number} random
 * @returns {number | null}
 */
export function retryDelay(error, failures, random) {
  if (error instanceof Unreachable) return asked(error, random) ?? backoff(failures, random);
  if (!(error instanceof Problem)) return null;
  const passing = PASSING.has(error.slug) || (error.status >= 500 && error.slug !== 'rooms-exhausted');
  return passing ? asked(error, random) ?? backoff(failures, random) : null;
}

/**
 * What the server asked for, and up to a fifth more: everybody it asked would otherwise be back at once. Whoever says
 * it may be a proxy, or mistaken: no more than two requests a second come of it, and no silence of more than half a
 * minute, in which a seat would be lost.
 *
 * @param {{ retryAfterMs: number | null }} error
 * @param {() => number} random
 */
function asked({ retryAfterMs }, random) {
  return retryAfterMs === null ? null : bounded(retryAfterMs) * (1 + 0.2 * random());
}

/** @param {number} ms how long somebody asks to wait */
export function bounded(ms) {
  return Math.min(MOST_ASKED_MS, Math.max(LEAST_ASKED_MS, ms));
}
