/** @import { Entry } from './session.js' */
/** @import { Batch, LeaveReason, Notice, Peer, Refusal, Relayed, RoomEvents } from '../types.d.ts' */

/**
 * What a member knows of its room, and the pure functions that change it. Each returns the new state and the events to
 * emit, in order.
 *
 * @typedef {object} RoomState
 * @property {Peer} self
 * @property {ReadonlyMap<string, Peer>} peers the other members
 * @property {ReadonlyMap<string, number>} unconfirmed peers that a server which lost its state has not listed again, with
 *   the time at which to give up on each
 * @property {number} cursor up to which the mailbox has been read
 * @property {number} staleThrough signaling up to here was meant for this page before it was reloaded
 * @property {number} leaseMs
 */

/**
 * @typedef {{ [Name in keyof RoomEvents]: { name: Name, detail: RoomEvents[Name] } }[keyof RoomEvents]} RoomEvent
 * @typedef {{ state: RoomState, events: RoomEvent[] }} Step
 */

/**
 * The room after a join. Signaling that was sent to the page before a reload concerns connections that are gone.
 *
 * @param {Entry} entry
 * @returns {RoomState}
 */
export function arrived({ joined, resumed }) {
  return {
    self: joined.peer,
    peers: byId(joined.peers),
    unconfirmed: new Map(),
    cursor: joined.cursor,
    staleThrough: resumed ? joined.latest : -1,
    leaseMs: joined.lease_ms,
  };
}

/**
 * The state after the same page took its seat again. With the old mailbox nothing was lost. With a new one, peers that
 * are missing from the roster have one lease to come back, too.
 *
 * @param {RoomState} state
 * @param {Entry} entry
 * @param {number} now
 * @returns {Step}
 */
export function returned(state, { joined, resumed }, now) {
  const readable = joined.cursor <= state.cursor && state.cursor <= joined.latest;
  const self = joined.peer;
  const renamed = self.id !== state.self.id;
  if (resumed && readable && !renamed) {
    const roster = [...state.peers.values()].filter(({ id }) => !state.unconfirmed.has(id));
    return { state: { ...state, self }, events: [{ name: 'resumed', detail: { lost: false, renamed, roster } }] };
  }
  const roster = byId(joined.peers);
  const newcomers = joined.peers.filter(({ id }) => !state.peers.has(id));
  const missing = [...state.peers].filter(([id]) => !roster.has(id));
  const deadline = (/** @type {string} */ id) => state.unconfirmed.get(id) ?? now + joined.lease_ms;
  return {
    state: {
      self,
      peers: new Map([...missing, ...roster]),
      unconfirmed: new Map(missing.map(([id]) => [id, deadline(id)])),
      cursor: joined.cursor,
      staleThrough: -1,
      leaseMs: joined.lease_ms,
    },
    events: [
      ...newcomers.map((peer) => /** @type {RoomEvent} */ ({ name: 'peer-joined', detail: peer })),
      { name: 'resumed', detail: { lost: true, renamed, roster: joined.peers } },
    ],
  };
}

/**
 * @param {RoomState} state
 * @param {Batch} batch
 * @returns {Step}
 */
export function received(state, batch) {
  /** @type {Step} */
  const start = { state, events: [] };
  const fresh = batch.messages.filter(({ seq }) => seq > state.cursor);
  const end = fresh.reduce((step, message) => then(step, read(step.state, message)), start);
  return { ...end, state: { ...end.state, cursor: Math.max(state.cursor, batch.cursor) } };
}

/**
 * A sealed room did not use a message.
 *
 * @param {RoomState} state
 * @param {Relayed} message
 * @param {Refusal} why
 * @returns {Step}
 */
export function unused(state, { seq, from, type }, why) {
  return { state, events: [{ name: 'refused', detail: { seq, from, type, why } }] };
}

/**
 * Gives up on peers that have not come back in time.
 *
 * @param {RoomState} state
 * @param {number} now
 * @returns {Step}
 */
export function elapsed(state, now) {
  const late = [...state.unconfirmed].filter(([, deadline]) => deadline <= now);
  /** @type {Step} */
  const start = { state, events: [] };
  return late.reduce((step, [id]) => then(step, left(step.state, id, 'expired')), start);
}

/**
 * When {@link elapsed} has something to do next.
 *
 * @param {RoomState} state
 */
export function nextDeadline({ unconfirmed }) {
  return unconfirmed.size > 0 ? Math.min(...unconfirmed.values()) : null;
}

/**
 * @param {RoomState} state
 * @param {Relayed | Notice} message
 * @returns {Step}
 */
function read(state, message) {
  switch (message.type) {
    case 'peer-joined':
      return joined(state, message.peer);
    case 'peer-left':
      return left(state, message.peer, message.reason);
    case 'room-closed':
      return { state, events: [{ name: 'room-closed', detail: {} }] };
    case 'data':
      return { state, events: [{ name: 'message', detail: message }] };
    case 'offer':
    case 'answer':
    case 'candidate':
    case 'bye':
      return { state, events: message.seq > state.staleThrough ? [{ name: 'message', detail: message }] : [] };
    default:
      // A newer server may send types that this client does not know.
      return { state, events: [] };
  }
}

/**
 * @param {RoomState} state
 * @param {Peer} peer
 * @returns {Step}
 */
function joined(state, peer) {
  const peers = new Map(state.peers).set(peer.id, peer);
  const unconfirmed = without(state.unconfirmed, peer.id);
  const known = state.peers.has(peer.id);
  return { state: { ...state, peers, unconfirmed }, events: known ? [] : [{ name: 'peer-joined', detail: peer }] };
}

/**
 * @param {RoomState} state
 * @param {string} id
 * @param {LeaveReason} reason
 * @returns {Step}
 */
function left(state, id, reason) {
  const peer = state.peers.get(id);
  if (!peer) return { state, events: [] };
  const peers = without(state.peers, id);
  const unconfirmed = without(state.unconfirmed, id);
  return { state: { ...state, peers, unconfirmed }, events: [{ name: 'peer-left', detail: { peer, reason } }] };
}

/**
 * @param {Step} first
 * @param {Step} second
 * @returns {Step}
 */
function then(first, second) {
  return { state: second.state, events: [...first.events, ...second.events] };
}

/** @param {Peer[]} peers */
function byId(peers) {
  return new Map(peers.map((peer) => [peer.id, peer]));
}

/**
 * @template Value
 * @param {ReadonlyMap<string, Value>} map
 * @param {string} key
 */
function without(map, key) {
  const rest = new Map(map);
  rest.delete(key);
  return rest;
}
