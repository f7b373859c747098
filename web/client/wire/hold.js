/**
 * How long to let the server hold a poll. Each proxy has its own patience; this finds it out. Everything here is a
 * pure function from one {@link Hold} to the next.
 *
 * @typedef {object} Hold
 * @property {number} ms what to ask for
 * @property {number} longest what to ask for as long as nothing speaks against it
 * @property {number} quiet full holds in a row that came through
 * @property {number | null} cutAt how old the last poll was that was cut without a word
 */

export const SHORTEST_MS = 5_000;
/** The strictest proxies that were met give up after 30 s. */
const USUAL_MS = 25_000;
/** A poll that ended sooner was not cut for being idle. */
export const OPEN_MS = 4_000;
/** As many quiet holds let it grow again. */
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
 * A poll came back in order, `age` after it went out.
 *
 * @param {Hold} hold
 * @param {number} age
 * @returns {Hold}
 */
export function answered(hold, age) {
  const cutAt = hold.cutAt !== null && age > hold.cutAt ? null : hold.cutAt;
  // The server takes up to a tenth off.
  if (age < hold.ms * 0.85) return { ...hold, cutAt };
  if (hold.quiet + 1 < GROWS_AFTER) return { ...hold, cutAt, quiet: hold.quiet + 1 };
  return { ...hold, cutAt, quiet: 0, ms: Math.min(hold.longest, hold.ms * 1.25) };
}

/**
 * A gateway lost patience and said so.
 *
 * @param {Hold} hold
 * @param {number} age
 * @returns {Hold}
 */
export function timedOut(hold, age) {
  const ms = Math.min(hold.longest, Math.max(SHORTEST_MS, Math.min(hold.ms / 2, age * 0.8)));
  return { ...hold, ms, quiet: 0, cutAt: null };
}

/**
 * The connection just ended. Once is an accident; twice at about the same age is somebody's limit.
 *
 * @param {Hold} hold
 * @param {number} age
 * @returns {Hold}
 */
export function cut(hold, age) {
  if (age < OPEN_MS) return hold;
  const again = hold.cutAt !== null && Math.abs(hold.cutAt - age) <= Math.max(1_000, age * 0.15);
  return again ? timedOut(hold, age) : { ...hold, quiet: 0, cutAt: age };
}
