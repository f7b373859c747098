import { Unsupported } from '../platform/unsupported.js';
import { Call } from '../rtc/call.js';
import { Emitter } from '../platform/emitter.js';
import { pause } from '../platform/environment.js';
import { IceServers } from '../rtc/ice.js';
import { supportsWebRtc } from '../rtc/support.js';
import { administer } from './administration.js';
import { EventQueue } from './event-queue.js';
import { Membership } from './membership.js';
import { Outbox } from '../wire/outbox.js';
import { followPage } from './page-life.js';
import { SealedOutbox } from './sealed-outbox.js';
import { arrived, elapsed, nextDeadline, received, returned, unused } from './room-state.js';

/** @import { Entry, Session } from './session.js' */
/** @import { RoomState, Step } from './room-state.js' */
/** @import { Batch, CallOptions, Environment, Message, Notice, Refusal, Relayed } from '../types.d.ts' */
/** @import { Room as Declared, RoomEvents, RoomStatus, Sent } from '../types.d.ts' */

/** How long an arrival may wait for the TURN credentials of the call with it. */
const EQUIP_MS = 3_000;
/** How long leaving may wait for messages that are still queued: a bad connection needs some attempts. */
const FLUSH_MS = 10_000;

/**
 * A room as one member sees it. Created by `join`.
 *
 * @extends {Emitter<RoomEvents>}
 * @implements {Declared}
 */
export class Room extends Emitter {
  #env;
  #session;
  #membership;
  #outbox;
  #ice;
  /** @type {RoomState} */
  #known;
  #events;
  /** @type {RoomStatus} */
  #status = 'connected';
  /** @type {Call | null} */
  #call = null;
  #cancelDeadline = () => {};

  /**
   * @param {Environment} env
   * @param {Session} session
   * @param {Entry} entry
   * @param {AbortSignal} [signal]
   */
  constructor(env, session, entry, signal) {
    super();
    this.#env = env;
    this.#session = session;
    this.#known = arrived(entry);
    this.#events = new EventQueue(this.#known, ({ name, detail }) => this.emit(name, /** @type {any} */ (detail)));
    this.name = entry.joined.room;
    /** This join created the room. */
    this.created = entry.joined.created;
    this.capacity = entry.joined.capacity;
    /** This page has a seat that it had before. */
    this.returned = entry.resumed;

    this.#membership = new Membership(env, session, {
      entered: (again) => this.#entered(again),
      received: (batch) => this.#received(batch),
      cursor: () => this.#known.cursor,
      changed: (state, error) => this.#changed(state, error),
    });
    const { over } = this.#membership;
    const outbox = new Outbox(env, {
      post: ({ key, body }) =>
        session.ask({ method: 'POST', url: session.at.outbox, key, body, expects: 'accepted', signal: over }),
      seated: () => this.#membership.seated(),
      lost: () => this.#membership.lost(),
      over,
    });
    this.#outbox = session.sealing ? new SealedOutbox(outbox, session.sealing) : outbox;
    // Caches that ignore `no-store` have seen none of these URLs.
    const iceUrl = () => session.at.iceServers(session.seat.peer, env.uuid());
    const renew = () => session.ask({ method: 'GET', url: iceUrl(), expects: 'ice_servers', signal: over });
    this.#ice = new IceServers(env, renew, over, (servers) => this.emit('ice-servers', servers));
    this.#equip(entry);
    over.addEventListener('abort', session.network.onChange((since) => void (since === Infinity && this.emit('network-changed', {}))));
    followPage(env, session, this.#membership);
    if (signal?.aborted) void this.leave();
    signal?.addEventListener('abort', () => void this.leave());
    void this.#membership.keep(entry.joined.wait_max_ms);
  }

  get self() {
    return this.#events.state.self;
  }

  /** The other members, by id. */
  get peers() {
    return this.#events.state.peers;
  }

  get state() {
    return this.#status;
  }

  get leaseMs() {
    return this.#known.leaseMs;
  }

  get key() {
    return this.#session.sealing?.key ?? null;
  }

  /** What peers of a sealed room lack, by id. */
  get troubles() {
    return this.#session.sealing?.troubles ?? new Map();
  }

  get iceServers() {
    return this.#ice.current;
  }

  /** Asks for ICE servers again, because a connection is interrupted. */
  refreshIceServers() {
    void this.#ice.refresh();
  }

  /**
   * Puts a message into the mailbox of one peer or, with null, of all others. Messages to a peer arrive in the order of
   * these calls.
   *
   * @param {string | null} to
   * @param {Message} message
   * @returns {Promise<Sent>} rejects only if the server refuses it for good or the room ends first
   */
  async send(to, message) {
    const sent = await this.#outbox.put(to, message);
    this.emit('wire', { direction: 'out', peer: to, type: message.type, at: this.#env.clock.date(), message });
    return sent;
  }

  /**
   * Connects with all members of the room, present and future. Throws `Unsupported` if there is no WebRTC.
   *
   * @param {CallOptions} [options]
   */
  call(options = {}) {
    if (this.#call?.active) throw new Error('This room already has a call; use replaceStream.');
    if (!supportsWebRtc(this.#env.RTCPeerConnection)) throw new Unsupported('webrtc-missing');
    this.#call?.close();
    this.#call = new Call(this, this.#env, options, this.#session.admitted);
    this.#call.start();
    return this.#call;
  }

  /** Sends what is queued, for ten seconds at most, gives up the seat and ends the call. */
  async leave() {
    const { over } = this.#membership;
    if (over.aborted) return;
    // Joining again before this is done makes a new peer.
    this.#session.unkeep();
    const timeout = pause(this.#env, FLUSH_MS, over).catch(() => {});
    await Promise.race([this.#outbox.emptied(), timeout]);
    if (over.aborted) return;
    const { at, heldSeat: seat } = this.#session;
    this.#membership.end('closed');
    if (!seat) return;
    const request = { url: at.seat(seat.peer), token: seat.token, keepalive: true };
    // If this is lost, the seat ends with its lease.
    await this.#session.ask({ method: 'DELETE', ...request }).catch(() => {});
  }

  /** Ends the room for all. Only its creator can. */
  async close() {
    await administer(this.#env, this.#session, this.#membership.over, { method: 'DELETE' }, 'close');
  }

  /**
   * Keeps newcomers out, or lets them in again. Only the room's creator can.
   *
   * @param {boolean} locked
   */
  async lock(locked) {
    await administer(this.#env, this.#session, this.#membership.over, { method: 'PATCH', body: JSON.stringify({ locked }), expects: 'locked' }, 'lock');
  }

  /** @param {Entry} entry */
  async #entered(entry) {
    this.#equip(entry);
    if (this.#outbox instanceof SealedOutbox && entry.joined.peer.id !== this.#known.self.id) await this.#outbox.reseal();
    this.#apply(returned(this.#known, entry, this.#env.clock.now()));
    this.#tellTroubles();
  }

  /** @param {Entry} entry */
  #equip({ joined: { ice_servers, ice_ttl_s } }) {
    this.#ice.set({ ice_servers, ttl_s: ice_ttl_s });
  }

  /** Nobody is heard until the connection with them can have a relay. */
  async #equipFirst() {
    const { over } = this.#membership;
    this.#events.hold();
    await Promise.race([this.#ice.fetch(), pause(this.#env, EQUIP_MS, over).catch(() => {})]);
    if (!over.aborted) this.#release();
  }

  #release() {
    this.#events.release();
    this.#tellTroubles();
  }

  /** @param {Batch} batch */
  #received(batch) {
    const { sealing } = this.#session;
    if (!sealing) return this.#take(batch.messages.map((message) => ({ arrived: message, message })), batch.cursor);
    return sealing.opened(batch).then((opened) => {
      if (!this.#membership.over.aborted) this.#take(opened, batch.cursor);
    });
  }

  /**
   * @param {{ arrived: Relayed | Notice, message?: Relayed | Notice, refused?: Refusal }[]} opened
   * @param {number} cursor
   */
  #take(opened, cursor) {
    const at = this.#env.clock.date();
    for (const { arrived, message = arrived, refused } of opened) {
      const peer = 'from' in message ? message.from : null;
      this.emit('wire', { direction: 'in', peer, type: message.type, at, message, ...(refused && { refused }) });
    }
    const messages = opened.flatMap(({ message }) => message ?? []);
    if (this.#ice.withheld && messages.some(({ type }) => type === 'peer-joined')) void this.#equipFirst();
    // One by one: while a message is told its sender is a member, even if it left right after.
    for (const { arrived, message, refused } of opened) {
      if (message) this.#apply(received(this.#known, { messages: [message], cursor: message.seq }));
      else if (refused && 'from' in arrived) this.#apply(unused(this.#known, arrived, refused));
    }
    this.#apply(received(this.#known, { messages: [], cursor }));
    this.#tellTroubles();
    if (messages.some(({ type }) => type === 'room-closed')) this.#ended();
  }

  /** The room is closed for all. What is on hold was acknowledged, so it is told before. */
  #ended() {
    this.#release();
    this.#membership.end('closed');
  }

  /** After the events in which their peers joined. */
  #tellTroubles() {
    if (this.#events.onHold) return;
    for (const id of this.#session.sealing?.changes() ?? []) {
      const peer = this.peers.get(id);
      if (peer) this.emit('trouble', { peer, trouble: this.troubles.get(id) ?? null });
    }
  }

  /** @param {Step} step */
  #apply(step) {
    this.#known = step.state;
    this.#events.put(step);
    this.#cancelDeadline();
    const deadline = nextDeadline(this.#known);
    if (deadline === null) return;
    const { clock } = this.#env;
    this.#cancelDeadline = clock.after(deadline - clock.now(), () => this.#apply(elapsed(this.#known, clock.now())));
  }

  /**
   * @param {RoomStatus} state
   * @param {Error} [error]
   */
  #changed(state, error) {
    if (state === this.#status || this.#membership.over.aborted !== isFinal(state)) return;
    this.#status = state;
    if (isFinal(state)) {
      this.#cancelDeadline();
      // The user may want to continue here what another tab took over: that needs the token.
      if (state !== 'superseded') this.#session.forget();
    }
    this.emit('state', { state, error });
  }
}

/** @param {RoomStatus} state */
function isFinal(state) {
  return state !== 'connected' && state !== 'reconnecting';
}
