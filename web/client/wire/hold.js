/**
 * How long to ask the server to hold a poll. Each proxy has its own idle time-out; this finds it. Pure functions from one
 * {@link Hold} to the next.
 *
 * @typedef {object} Hold
 * @property {number} ms what to ask for
 * @property {number} longest what to ask for at most
 * @property {number} quiet consecutive full holds
 * @property {number | null} cutAt age at which the last poll was cut, if one was
 */

export const MIN_MS = 5_000;
/** The strictest common proxies time out after 30 s. */
const USUAL_MS = 25_000;
/** A poll that ended sooner was not cut because it was idle. */
export const OPEN_MS = 4_000;
/** Full holds after which the hold grows again. */
const GROWS_AFTER = 12;

/**
 * @param {number} waitMaxMs what the server allows
 * @returns {Hold}
 */
export function freshHold(waitMaxMs) {
  const longest = Math.min(USUAL_MS, waitMaxMs);
  return { ms: longest, longest, quiet: 0, cutAt: null };
}

/**
 * A poll was answered, `age` after it was sent.
 *
 * @param {Hold} hold
 * @param {number} age
 * @returns {Hold}
 */
export function answered(hold, age) {
  const cutAt = hold.cutAt !== null && age > hold.cutAt ? null : hold.cutAt;
  // The server shortens holds by up to a tenth.
  if (age < hold.ms * 0.85) return { ...hold, cutAt };
  if (hold.quiet + 1 < GROWS_AFTER) return { ...hold, cutAt, quiet: hold.quiet + 1 };
  return { ...hold, cutAt, quiet: 0, ms: Math.min(hold.longest, hold.ms * 1.25) };
}

/**
 * A gateway timed out and responded with an error.
 *
 * @param {Hold} hold
 * @param {number} age
 * @returns {Hold}
 */
export function timedOut(hold, age) {
  const ms = Math.min(hold.longest, Math.max(MIN_MS, Math.min(hold.ms / 2, age * 0.8)));
  return { ...hold, ms, quiet: 0, cutAt: null };
}

/**
 * The connection was cut. Once is an accident; twice at about the same age is a time-out.
 *
 * @param {Hold} hold
 * @param {number} age
 * @returns {Hold}
 */
export function cut(hold, age) {
  if (age < OPEN_MS) return hold;
  const repeated = hold.cutAt !== null && Math.abs(hold.cutAt - age) <= Math.max(1_000, age * 0.15);
  return repeated ? timedOut(hold, age) : { ...hold, quiet: 0, cutAt: age };
}
