import { explain, hostOf, worstOf } from '../ice/errors.js';
import { gather } from './gather.js';

/** @import { Gathered } from './gather.js' */
/** @import { Outcome } from './outcome.js' */

/** Nobody who is silent is given up on sooner than this. */
const TOO_SOON_MS = 5_000;

/**
 * Does a STUN server answer?
 *
 * @param {string} url
 * @param {AbortSignal} signal
 * @returns {Promise<Outcome>}
 */
export async function testStun(url, signal) {
  return judgeStun(url, await gather([{ urls: url }], ({ type }) => type === 'srflx', signal));
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
    return { grade: 'good', words: `${host} answers after ${figures.tookMs} ms: other networks can be told where this one is.`, figures: { ...figures, answers: true } };
  }
  const error = worstOf(errors, url);
  if (error) {
    const { what, todo } = explain(error, url);
    return { grade: 'bad', words: `${what}. Calls to other networks need it, or a relay.`, todo, figures: { ...figures, answers: false } };
  }
  if (candidates.length === 0) {
    return { grade: 'bad', words: 'This browser offers no address at all.', todo: 'An extension, a VPN or a setting of the browser keeps it from connecting. Try another browser.', figures: { ...figures, answers: null } };
  }
  // A browser keeps to itself what it was told if that is what it knew. Silence would have taken longer, or been an error.
  if (complete && tookMs < TOO_SOON_MS) {
    return { grade: 'good', words: `${host} answers, and sees the address that this machine has: there is no NAT between.`, figures: { ...figures, answers: true, nat: 'none' } };
  }
  return { grade: 'bad', words: `${host} does not answer.`, todo: 'Either it is not running, or UDP is blocked.', figures: { ...figures, answers: false } };
}
