import { isKey, language, list, say } from './languages/say.js';

/** @import { LinkState, RoomStatus } from '../client/types.d.ts' */
/** @import { Lacking } from './sealed/lacks.js' */

/**
 * @typedef {object} Refusal
 * @property {string} [slug] of the problem
 * @property {string} message
 * @property {string} [name] of who declined, isolated
 * @property {string} [action]
 * @property {number} [capacityMax] if more seats were asked for
 * @property {number} [secretMin] if the secret is shorter
 */

/**
 * The state of a visit to a room, as far as it is shown.
 *
 * @typedef {object} Facts
 * @property {'asking' | 'joining' | 'unanswered' | 'full' | 'refused' | 'inside'} phase
 * @property {Refusal} [refusal] why the room cannot be entered, or entered again
 * @property {number | null} [freesInMs] when a seat may become free, if the room is full
 * @property {RoomStatus} [room]
 * @property {{ name: string, state: LinkState | 'calling' }[]} links `calling`: the peer has not answered yet
 * @property {string[]} [callers] who waits for the user's answer
 * @property {Lacking[]} [lacking] who cannot be connected with, for lack of a key that fits
 * @property {string} news the last event
 *
 * @typedef {{ key: 'left' | 'removed' | 'hung-up' | 'declined', name: string }} News what has happened, and to whom
 *
 * @typedef {'joining' | 'waiting' | 'connecting' | 'connected' | 'full' | 'reconnecting' | 'superseded' | 'closed' |
 *   'kicked' | 'error'} PageState
 *
 * Screen readers read `spoken` whenever it changes, so it has no countdown.
 *
 * @typedef {{ state: PageState, text: string, spoken: string }} Summary
 */

/**
 * @param {Facts} facts
 * @returns {Summary}
 */
export function summarize(facts) {
  switch (facts.phase) {
    case 'asking':
      return plain('joining', say('asking'));
    case 'joining':
      return plain('joining', say('joining'));
    case 'unanswered':
      return plain('joining', say('unanswered'));
    case 'full':
      return full(facts.freesInMs ?? null);
    case 'refused':
      return refused(facts.refusal ?? { message: say('went-wrong') });
    case 'inside':
      return inside(facts);
  }
}

/** Is there no call any more? @param {PageState} state */
export function isOver(state) {
  return state === 'superseded' || state === 'kicked' || state === 'closed';
}

/**
 * @param {number | null} freesInMs
 * @returns {Summary}
 */
function full(freesInMs) {
  if (freesInMs === null) return plain('full', say('full'));
  const count = Math.max(0, Math.ceil(freesInMs / 1000));
  return { state: 'full', text: say('full-seconds', { count }), spoken: say('full-soon') };
}

/** Problems that are known by their slugs. The server's words for the others are in English, and say more than the catalogue's. */
const WORDED = ['room-locked', 'secret-missing', 'secret-wrong', 'secret-unexpected', 'ticket-missing', 'ticket-expired', 'ticket-other-room', 'ticket-cannot-create'];
const TRANSLATED = ['rate-limited', 'too-many-failures', 'rooms-exhausted', 'memory-exhausted', 'engine-unavailable', 'draining'];

/**
 * @param {Refusal} refusal
 * @returns {Summary}
 */
function refused({ slug = '', message, name = '', action, capacityMax, secretMin }) {
  if (capacityMax) return plain('error', say('too-many-seats', { count: capacityMax }));
  if (secretMin) return plain('error', say('secret-short', { count: secretMin }));
  if (slug === 'kicked') return plain('kicked', say('kicked'));
  if (slug === 'room-closed') return plain('closed', say('room-closed'));
  if (slug === 'declined') return plain('error', say('declined-you', { name }));
  const worded = language() === 'en' ? WORDED : [...WORDED, ...TRANSLATED];
  if (isKey(slug) && worded.includes(slug)) return plain('error', say(slug));
  if (slug.startsWith('ticket-')) return plain('error', say('ticket-invalid'));
  return plain('error', action ? `${message} ${action}` : message);
}

/**
 * @param {Facts} facts
 * @returns {Summary}
 */
function inside({ room, refusal, links, news, callers = [], lacking = [] }) {
  if (room === 'superseded') return plain('superseded', say('elsewhere'));
  if (room === 'kicked') return plain('kicked', say('kicked'));
  if (room === 'closed') return plain('closed', refused(refusal ?? { slug: 'room-closed', message: '' }).text);
  const connected = links.filter(({ state }) => state === 'connected');
  if (room === 'reconnecting') return plain('reconnecting', say(connected.length > 0 ? 'reconnecting' : 'unanswered'));
  return linked(connected, links, news, callers, lacking.length);
}

/**
 * @param {Facts['links']} connected
 * @param {Facts['links']} links
 * @param {string} news
 * @param {string[]} callers
 * @param {number} lacking how many
 * @returns {Summary}
 */
function linked(connected, links, news, callers, lacking) {
  const under = (/** @type {(LinkState | 'calling')[]} */ ...states) => links.filter(({ state }) => states.includes(state));
  const phrases = [
    callers.length > 0 ? say('calling-you', { names: list(callers), count: callers.length }) : '',
    phrase('connected', connected),
    phrase('calling', under('calling')),
    phrase('connecting', under('waiting', 'connecting')),
    phrase('repairing', under('interrupted')),
    phrase('failed', under('failed')),
    lacking > 0 ? say('keys-differ', { count: lacking }) : '',
  ].filter(Boolean);
  if (phrases.length === 0) return plain('waiting', news ? say('waiting-after', { news }) : say('waiting'));
  const state = connected.length > 0 ? 'connected' : links.length > 0 ? 'connecting' : 'waiting';
  return plain(state, phrases.join(' · '));
}

/**
 * @param {'connected' | 'calling' | 'connecting' | 'repairing' | 'failed'} key
 * @param {{ name: string }[]} who
 */
function phrase(key, who) {
  return who.length > 0 ? say(key, { names: list(who.map(({ name }) => name)) }) : '';
}

/**
 * @param {PageState} state
 * @param {string} text
 * @returns {Summary}
 */
function plain(state, text) {
  return { state, text, spoken: text };
}
