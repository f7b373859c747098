import { Problem, Unreachable } from './problem.js';

const FIRST_MS = 500;
const MAX_MS = 8_000;
const MIN_RETRY_AFTER_MS = 500;
const MAX_RETRY_AFTER_MS = 30_000;

/**
 * How long to wait after failure number `failures` (0 is the first). With full jitter, anything from 0 to a ceiling that
 * doubles, so that clients which lost the server together do not return together.
 *
 * @param {number} failures
 * @param {() => number} random
 */
export function backoff(failures, random) {
  return random() * Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(failures, 30));
}

/** Refusals that pass with time. */
const TEMPORARY = new Set(['rate-limited', 'mailbox-full', 'draining']);

/**
 * How long to wait before trying a failed request again, or null if trying again is pointless.
 *
 * @param {unknown} error
 * @param {number} failures
 * @param {() => number} random
 * @returns {number | null}
 */
export function retryDelay(error, failures, random) {
  if (error instanceof Unreachable) return requested(error, random) ?? backoff(failures, random);
  if (!(error instanceof Problem)) return null;
  const temporary = TEMPORARY.has(error.slug) || (error.status >= 500 && error.slug !== 'rooms-exhausted');
  return temporary ? requested(error, random) ?? backoff(failures, random) : null;
}

/**
 * The requested delay plus up to a fifth, so that clients do not all return at once. A proxy or a mistake may have set it,
 * so it is bounded: at most two requests per second, and no silence in which a seat would expire.
 *
 * @param {{ retryAfterMs: number | null }} error
 * @param {() => number} random
 */
function requested({ retryAfterMs }, random) {
  return retryAfterMs === null ? null : bounded(retryAfterMs) * (1 + 0.2 * random());
}

/** @param {number} ms a requested delay */
export function bounded(ms) {
  return Math.min(MAX_RETRY_AFTER_MS, Math.max(MIN_RETRY_AFTER_MS, ms));
}
