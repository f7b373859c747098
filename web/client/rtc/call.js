import { Emitter } from '../platform/emitter.js';
import { Admission } from './admission.js';
import { Link } from './link.js';
import { isPolite } from './negotiation.js';
import { Orphans } from './orphans.js';
import { markOf, whipRole } from './whip.js';
import { Unreachable } from '../wire/problem.js';

/** @import { Call as Declared, CallEvents, CallOptions, Environment, LeaveReason } from '../types.d.ts' */
/** @import { Admitted } from './admission.js' */
/** @import { LinkState, Peer, Relayed, Resumption, Room, StateChange } from '../types.d.ts' */

/**
 * A call with everybody in a room: one {@link Link} for each. A peer that joins makes the offers. Made by `room.call`.
 *
 * @extends {Emitter<CallEvents>}
 * @implements {Declared}
 */
export class Call extends Emitter {
  #room;
  #env;
  /** @type {MediaStream | null} */
  #stream;
  /** @type {MediaStream | null} */
  #shared = null;
  #configuration;
  #receive;
  #channels;
  #admission;
  /** @type {Map<string, Link>} */
  #links = new Map();
  #orphans = new Orphans();
  /** @type {(() => void)[]} */
  #subscriptions = [];

  /**
   * @param {Room} room
   * @param {Environment} env
   * @param {CallOptions} options
   * @param {Admitted} [admitted]
   */
  constructor(room, env, { stream = null, configuration = {}, receive = true, channels = {}, admit }, admitted = new Set()) {
    super();
    this.#room = room;
    this.#env = env;
    this.#stream = stream;
    this.#configuration = configuration;
    this.#receive = receive;
    this.#channels = channels;
    this.#admission = new Admission(admit, admitted, {
      link: (peer) => this.#link(peer),
      declined: (peer, offer) => this.#dismiss(peer, 'declined', offer),
    });
  }

  /** By peer id. @returns {ReadonlyMap<string, Link>} */
  get links() {
    return this.#links;
  }

  /** Started and not hung up. */
  get active() {
    return this.#subscriptions.length > 0;
  }

  /** Connects with everybody. Also restarts a call after {@link hangUp}. */
  start() {
    if (this.active) return;
    const room = this.#room;
    this.#subscriptions = [
      room.on('peer-joined', (peer) => this.#joined(peer)),
      room.on('peer-left', ({ peer, reason }) => this.#left(peer, reason)),
      room.on('message', (message) => this.#heard(message)),
      room.on('resumed', (resumption) => this.#resumed(resumption)),
      room.on('state', (change) => this.#roomChanged(change)),
      room.on('network-changed', () => this.#suspect()),
      room.on('ice-servers', () => this.#configure()),
    ];
    for (const peer of room.peers.values()) {
      if (!whipRole(peer)) this.#admission.pass(peer, (link) => link.offer());
      // The connection with it went with the page: it has to call anew.
      else if (room.returned) this.#dismiss(peer, 'reloaded');
    }
  }

  /**
   * Tells the others and ends the call. This member stays in the room.
   *
   * @param {string} [reason]
   */
  hangUp(reason) {
    if (!this.active) return;
    if (this.#links.size > 0 || this.#admission.isAsking) void this.#room.send(null, { type: 'bye', reason }).catch(() => {});
    this.close();
  }

  /** Ends the call without telling anybody. */
  close() {
    for (const end of this.#subscriptions.splice(0)) end();
    this.#admission.end();
    for (const link of [...this.#links.values()]) link.close();
  }

  /**
   * Sends a text on every open channel.
   *
   * @param {string} text
   * @returns {number} how many channels took it
   */
  say(text) {
    const open = [...this.#links.values()].filter(({ channel }) => channel?.readyState === 'open');
    return open.filter(({ channel }) => took(channel, text)).length;
  }

  /** @param {MediaStream | null} stream to send from now on */
  replaceStream(stream) {
    this.#stream = stream;
    for (const link of this.#links.values()) link.replaceStream(stream);
  }

  /** @param {MediaStream | null} stream to send besides, such as a screen */
  share(stream) {
    this.#shared = stream;
    for (const link of this.#links.values()) link.share(stream);
  }

  /** @param {boolean} on whether media of the others are received from now on */
  receive(on) {
    this.#receive = on;
    for (const link of this.#links.values()) link.receive(on);
  }

  /** @param {Peer} peer */
  #joined(peer) {
    // Perhaps it calls somebody else.
    if (whipRole(peer)) return;
    this.#admission.pass(peer, (link) => {
      link.departed = false;
      if (link.state !== 'connected') link.expect();
    });
  }

  /**
   * @param {Peer} peer
   * @param {LeaveReason} reason
   */
  #left({ id }, reason) {
    this.#admission.forget(id);
    // Only its lease has expired: the connection may still work.
    if (reason === 'expired') this.#links.get(id)?.depart();
    else this.#links.get(id)?.close();
  }

  /** @param {Relayed} message */
  #heard(message) {
    if (message.type === 'data') return;
    const peer = this.#room.peers.get(message.from);
    if (!peer) return;
    if (message.type === 'offer' && this.#hasNothingFor(peer)) return this.#dismiss(peer, 'declined', message);
    if (message.type !== 'bye') return this.#admission.take(peer, message);
    this.#admission.withdraw(peer.id);
    this.#links.get(peer.id)?.close();
    const { answeredBy } = /** @type {{ answeredBy?: unknown }} */ (message);
    this.emit('bye', { peer, reason: message.reason, ...(typeof answeredBy === 'string' && { answeredBy }) });
  }

  /** @param {Resumption} resumption */
  #resumed({ lost, renamed, roster }) {
    if (!lost) return;
    const here = new Set(roster.map(({ id }) => id));
    this.#orphans.add(renamed ? [...this.#links.values()].filter(({ peer }) => !here.has(peer.id)) : []);
    // These peers came back before this page did, so earlier messages to them may be lost.
    for (const peer of roster.filter((one) => !whipRole(one))) {
      this.#admission.pass(peer, (link) => {
        if (link.state !== 'connected') link.offer();
      });
    }
  }

  /** @param {StateChange} change */
  #roomChanged({ state, error }) {
    // In Chromium, a failed request (ERR_NETWORK_CHANGED) may be the only sign that the network changed.
    if (error instanceof Unreachable && (error.reason === 'network' || error.reason === 'timeout')) this.#suspect();
    if (state === 'connected') {
      for (const link of this.#links.values()) link.resume();
    } else if (state !== 'reconnecting') this.close();
  }

  #suspect() {
    for (const link of this.#links.values()) link.suspect();
  }

  /** @param {Peer} peer */
  #link(peer) {
    const known = this.#links.get(peer.id);
    if (known) return known;
    const room = this.#room;
    /** @type {Link} */
    const link = new Link(this.#env, peer, {
      equipment: () => ({ configuration: this.#equipped(), stream: this.#stream, shared: this.#shared, receive: this.#receive, channels: this.#channels }),
      isPolite: () => isPolite(room.self, room.peers.get(peer.id) ?? peer),
      canSignal: () => room.state === 'connected',
      isSealed: () => room.key !== null,
      trouble: () => room.troubles.get(peer.id) ?? null,
      leaseMs: () => room.leaseMs,
      verified: (verified, safetyNumber) => this.emit('verified', { peer, verified, safetyNumber }),
      // The link's timers make up for messages that cannot be delivered.
      send: (message) => void room.send(peer.id, message).catch(() => {}),
      changed: (state) => this.#linkChanged(link, state),
      unanswered: (attempts, final) => this.emit('offer-unanswered', { peer, attempts, final }),
      stream: (stream) => this.emit('stream', { peer, stream }),
      data: (data) => this.emit('data', { peer, data }),
      channel: (open) => this.emit('channel', { peer, open }),
      opened: (channel) => this.emit('data-channel', { peer, channel }),
    });
    this.#links.set(peer.id, link);
    return link;
  }

  /** An encoder where nothing is received, or a player where nothing is sent. @param {Peer} peer */
  #hasNothingFor(peer) {
    const role = whipRole(peer);
    return (role === 'encoder' && !this.#receive) || (role === 'player' && !this.#stream?.getTracks().length);
  }

  /** @param {Peer} peer @param {string} reason @param {object} [offer] of the peer's */
  #dismiss(peer, reason, offer) {
    // It does not matter if the peer is gone.
    void this.#room.send(peer.id, { type: 'bye', reason, ...markOf(peer, offer) }).catch(() => {});
  }

  #configure() {
    for (const link of this.#links.values()) link.configure(this.#equipped());
  }

  #equipped() {
    return { iceServers: this.#room.iceServers, ...this.#configuration };
  }

  /**
   * @param {Link} link
   * @param {LinkState} state
   */
  #linkChanged(link, state) {
    if (state === 'closed') this.#links.delete(link.peer.id);
    // Its relay may be gone. An ICE restart then uses the next one.
    if (state === 'interrupted') this.#room.refreshIceServers();
    this.emit('link', { peer: link.peer, state });
    if (state === 'connected') this.#orphans.release(this.#links.values());
  }
}

/**
 * Sends a text, unless it is longer than the peer allows, or too much is queued.
 *
 * @param {RTCDataChannel | null} channel
 * @param {string} text
 */
function took(channel, text) {
  try {
    channel?.send(text);
    return true;
  } catch {
    return false;
  }
}
