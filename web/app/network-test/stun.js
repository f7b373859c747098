import { explain, hostOf, worstOf } from '../ice/errors.js';
import { say } from '../languages/say.js';
import { gather } from './gather.js';

/** @import { Gathered } from './gather.js' */
/** @import { Judgement, Outcome } from './outcome.js' */

/** Browsers do not give up on a silent server sooner than this. */
const MIN_SILENCE_MS = 5_000;

/**
 * Does a STUN server respond?
 *
 * @param {string} url
 * @param {AbortSignal} signal
 * @returns {Promise<Judgement>}
 */
export async function testStun(url, signal) {
  const gathered = await gather([{ urls: url }], ({ type }) => type === 'srflx', signal);
  return () => judgeStun(url, gathered);
}

/**
 * @param {string} url
 * @param {Gathered} gathered
 * @returns {Outcome}
 */
export function judgeStun(url, { candidates, errors, complete, tookMs }) {
  const host = hostOf(url);
  const figures = { tookMs: Math.round(tookMs) };
  if (candidates.some(({ type }) => type === 'srflx')) {
    return { grade: 'good', words: say('stun-good', { host, ms: figures.tookMs }), figures: { ...figures, answers: true } };
  }
  const error = worstOf(errors, url);
  if (error) {
    const { what, todo } = explain(error, url);
    return { grade: 'bad', words: say('stun-bad', { what }), todo, figures: { ...figures, answers: false } };
  }
  if (candidates.length === 0) {
    return { grade: 'bad', words: say('sentence', { text: say('no-addresses') }), todo: say('stun-blocked-todo'), figures: { ...figures, answers: null } };
  }
  // Browsers do not report a reflexive address that equals the host's. Silence would have taken longer, or been an error.
  if (complete && tookMs < MIN_SILENCE_MS) {
    return { grade: 'good', words: say('stun-no-nat', { host }), figures: { ...figures, answers: true, nat: 'none' } };
  }
  return { grade: 'bad', words: say('stun-silent', { host }), todo: say('stun-silent-todo'), figures: { ...figures, answers: false } };
}
