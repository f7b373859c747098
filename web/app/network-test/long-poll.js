import { Problem, Unreachable } from '../../client/index.js';
import { say } from '../languages/say.js';

/** @import { Seat } from './seat.js' */
/** @import { Outcome } from './outcome.js' */

/** The hold that a call asks for, and the longest that proxies commonly allow. */
export const HOLDS_MS = [25_000, 55_000];
/** The server shortens holds by up to a tenth, so that polls do not all end together. */
const JITTER = 0.9;
/** As the client does in a call: well below the hold that was cut. */
const SHORTER = 0.8;
const SHORTEST_MS = 2_000;

/**
 * One poll.
 *
 * @typedef {object} Hold
 * @property {number} askedMs
 * @property {number} tookMs
 * @property {'back' | 'cut' | 'swallowed' | 'hasty' | 'refused' | 'cached'} end
 */

/** A repeated poll that is answered sooner than this was answered by a cache. */
const CACHED_MS = 1_000;

/**
 * @param {Pick<Seat, 'poll'>} seat
 * @param {number} askedMs
 * @param {AbortSignal} signal
 * @returns {Promise<Hold>}
 */
async function hold(seat, askedMs, signal) {
  const started = performance.now();
  /** @param {Hold['end']} end @returns {Hold} */
  const ended = (end) => ({ askedMs, tookMs: performance.now() - started, end });
  try {
    await seat.poll(askedMs, signal);
    const held = ended('back');
    return held.tookMs < askedMs * JITTER - 250 ? ended('hasty') : held;
  } catch (error) {
    if (signal.aborted) throw error;
    if (error instanceof Problem) return ended('refused');
    if (error instanceof Unreachable && error.reason === 'stale') return ended('cached');
    return ended(error instanceof Unreachable && error.reason === 'timeout' ? 'swallowed' : 'cut');
  }
}

/**
 * Repeats a poll that was answered, to detect a cache.
 *
 * @param {Pick<Seat, 'poll'>} seat
 * @param {Hold} held
 * @param {AbortSignal} signal
 * @returns {Promise<Hold[]>}
 */
async function repeat(seat, held, signal) {
  if (held.end !== 'back' || held.askedMs * JITTER <= CACHED_MS) return [];
  const patience = new AbortController();
  const stop = () => patience.abort();
  const timer = setTimeout(stop, CACHED_MS);
  signal.addEventListener('abort', stop);
  const again = await hold(seat, held.askedMs, patience.signal).catch(() => null);
  clearTimeout(timer);
  signal.removeEventListener('abort', stop);
  if (signal.aborted) throw signal.reason;
  return again?.end === 'hasty' || again?.end === 'cached' ? [{ ...again, end: 'cached' }] : [];
}

/**
 * Finds how long a poll may wait. Each hold has a seat of its own, because of two polls on one seat the newer wins. If the
 * shortest is cut, tries shorter ones until one is answered.
 *
 * @param {Pick<Seat, 'poll'>[]} seats
 * @param {number} waitMaxMs what the server allows
 * @param {AbortSignal} signal
 * @returns {Promise<Hold[]>}
 */
export async function findHold(seats, waitMaxMs, signal) {
  const wanted = [...new Set(HOLDS_MS.map((ms) => Math.min(ms, waitMaxMs)))];
  const holds = await Promise.all(wanted.map((ms, at) => hold(seats[at], ms, signal)));
  let shortest = holds[0];
  while (shortest.end === 'cut' && shortest.tookMs * SHORTER >= SHORTEST_MS) {
    shortest = await hold(seats[0], Math.min(shortest.tookMs, shortest.askedMs) * SHORTER, signal);
    holds.push(shortest);
  }
  return [...holds, ...await repeat(seats[0], shortest, signal)];
}

const seconds = (/** @type {number} */ ms) => `${ms < 9_950 ? Number((ms / 1000).toFixed(1)) : Math.round(ms / 1000)} s`;

/** @returns {Outcome} */
const cached = () => ({
  grade: 'fair',
  words: say('poll-cached'),
  todo: say('poll-cached-todo'),
});

/** @returns {Outcome} */
export const dead = () => ({
  grade: 'unknown',
  words: say('poll-dead'),
  todo: say('poll-dead-todo'),
  figures: { longestMs: 0, cutAfterMs: null },
});

/**
 * @param {Hold[]} holds
 * @param {number} waitMaxMs
 * @returns {Outcome}
 */
export function judgeHolds(holds, waitMaxMs) {
  const back = holds.filter(({ end }) => end === 'back').sort((a, b) => b.askedMs - a.askedMs)[0];
  const cuts = holds.filter(({ end }) => end === 'cut' || end === 'swallowed').sort((a, b) => a.tookMs - b.tookMs);
  const figures = { longestMs: back?.askedMs ?? 0, cutAfterMs: cuts[0] ? Math.round(cuts[0].tookMs) : null };
  if (holds.some(({ end }) => end === 'cached')) return { ...cached(), figures };
  if (!back) return { ...lost(holds, cuts[0]), figures };
  const most = back.askedMs >= waitMaxMs && waitMaxMs < HOLDS_MS[1];
  const held = say(most ? 'poll-held-most' : 'poll-held', { time: seconds(back.askedMs) });
  const [cut] = cuts;
  if (!cut) return { grade: 'good', words: `${held} ${say('poll-works')}`, figures };
  const how = cut.end === 'cut' ? 'poll-cut' : 'poll-unanswered';
  const time = seconds(cut.tookMs);
  if (back.askedMs >= HOLDS_MS[0]) return { grade: 'good', words: `${held} ${say(`${how}-late`, { time })} ${say('poll-works')}`, figures };
  return { grade: 'fair', words: `${say(how, { time })} ${held} ${say('poll-copes')}`, todo: say('poll-copes-todo'), figures };
}

/**
 * @param {Hold[]} holds
 * @param {Hold | undefined} cut
 * @returns {Omit<Outcome, 'figures'>}
 */
function lost(holds, cut) {
  if (holds.some(({ end }) => end === 'hasty')) {
    return { grade: 'fair', words: say('poll-hasty'), todo: say('poll-hasty-todo') };
  }
  if (!cut) return { grade: 'unknown', words: say('poll-refused'), todo: say('poll-refused-todo') };
  const words = cut.end === 'swallowed' ? say('poll-swallowed') : say('poll-lost', { time: seconds(cut.tookMs) });
  return { grade: 'bad', words, todo: say('poll-lost-todo') };
}
