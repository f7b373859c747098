/** @import { LinkState, RoomStatus } from '../client/types.d.ts' */

/**
 * @typedef {object} Refusal
 * @property {string} [slug] of the problem
 * @property {string} message
 * @property {string} [action]
 * @property {number} [capacityMax] if more seats were asked for
 * @property {number} [secretMin] if the secret is shorter
 */

/**
 * The state of a visit to a room, as far as it is shown.
 *
 * @typedef {object} Facts
 * @property {'asking' | 'joining' | 'unanswered' | 'full' | 'refused' | 'inside'} phase
 * @property {Refusal} [refusal]
 * @property {number | null} [freesInMs] when a seat may become free, if the room is full
 * @property {RoomStatus} [room]
 * @property {{ name: string, state: LinkState | 'calling' }[]} links `calling`: the peer has not answered yet
 * @property {string[]} [callers] who waits for the user's answer
 * @property {string} news the last event
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
      return plain('joining', 'Asking for camera and microphone…');
    case 'joining':
      return plain('joining', 'Joining…');
    case 'unanswered':
      return plain('joining', 'The server does not respond – retrying');
    case 'full':
      return full(facts.freesInMs ?? null);
    case 'refused':
      return refused(facts.refusal ?? { message: 'Something went wrong.' });
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
  if (freesInMs === null) return plain('full', 'Room is full – waiting for somebody to leave');
  const seconds = Math.max(0, Math.ceil(freesInMs / 1000));
  return {
    state: 'full',
    text: `Room is full – a seat may become free in ${seconds} s`,
    spoken: 'Room is full – a seat may become free soon',
  };
}

/** @type {Record<string, string>} */
const TICKETS = {
  'ticket-missing': 'This server lets in only people with a personal link – please open the link that you were sent',
  'ticket-expired': 'Your link has expired, or is not valid yet – please get a new one',
  'ticket-other-room': 'Your link is for a different room – please open the one for this room',
  'ticket-cannot-create': 'The room is not open yet – please try again when the host is there',
};

/**
 * @param {Refusal} refusal
 * @returns {Summary}
 */
function refused({ slug = '', message, action, capacityMax, secretMin }) {
  if (slug.startsWith('ticket-')) return plain('error', TICKETS[slug] ?? 'Your link is not valid here – please get a new one');
  if (capacityMax) return plain('error', `Rooms on this server have at most ${capacityMax} seats – join to open one with ${capacityMax}`);
  if (secretMin) return plain('error', `A room’s secret has at least ${secretMin} characters – please enter all of it`);
  if (slug === 'kicked') return plain('kicked', 'You were removed from this room');
  if (slug === 'room-closed') return plain('closed', 'The room was closed');
  if (slug === 'declined') return plain('error', message);
  if (slug === 'room-locked') return plain('error', 'The room is locked – nobody else may join');
  if (slug === 'secret-missing') return plain('error', 'This room has a secret – please enter it');
  if (slug === 'secret-wrong') return plain('error', 'That is not this room’s secret – please try again');
  if (slug === 'secret-unexpected') return plain('error', 'Somebody else opened this room, without your secret – please agree on another name');
  return plain('error', action ? `${message} ${action}` : message);
}

/**
 * @param {Facts} facts
 * @returns {Summary}
 */
function inside({ room, links, news, callers = [] }) {
  if (room === 'superseded') return plain('superseded', 'This call is open in another tab');
  if (room === 'kicked') return plain('kicked', 'You were removed from this room');
  if (room === 'closed') return plain('closed', 'The room was closed');
  const connected = links.filter(({ state }) => state === 'connected');
  if (room === 'reconnecting') {
    const alive = connected.length > 0 && 'Reconnecting to the server… (the call continues)';
    return plain('reconnecting', alive || 'The server does not respond – retrying');
  }
  return linked(connected, links, news, callers);
}

/**
 * @param {Facts['links']} connected
 * @param {Facts['links']} links
 * @param {string} news
 * @param {string[]} callers
 * @returns {Summary}
 */
function linked(connected, links, news, callers) {
  const under = (/** @type {(LinkState | 'calling')[]} */ ...states) => links.filter(({ state }) => states.includes(state));
  const phrases = [
    callers.length > 0 ? `${list(callers)} ${callers.length > 1 ? 'are' : 'is'} calling` : '',
    phrase('Connected to', connected),
    phrase('Calling', under('calling'), '…'),
    phrase('Connecting to', under('waiting', 'connecting'), '…'),
    phrase('Repairing the connection to', under('interrupted'), '…'),
    phrase('Could not connect to', under('failed')),
  ].filter(Boolean);
  if (phrases.length === 0) {
    const waiting = 'Waiting for somebody to join';
    return plain('waiting', news ? `${news} – ${waiting}` : waiting);
  }
  const state = connected.length > 0 ? 'connected' : links.length > 0 ? 'connecting' : 'waiting';
  return plain(state, phrases.join(' · '));
}

/**
 * The question about a peer that has come into an open room.
 *
 * @param {string} name isolated
 */
export function callerWords(name) {
  return {
    who: `${name} is calling`,
    note: 'Until you answer, they neither see nor hear you. Anybody with the link can call, under any name.',
  };
}

/**
 * @param {string} start
 * @param {{ name: string }[]} who
 * @param {string} [end]
 */
function phrase(start, who, end = '') {
  return who.length > 0 ? `${start} ${list(who.map(({ name }) => name))}${end}` : '';
}

/** @param {string[]} names */
export function list(names) {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/**
 * @param {PageState} state
 * @param {string} text
 * @returns {Summary}
 */
function plain(state, text) {
  return { state, text, spoken: text };
}
