import { cardOf, sharedChannels } from './card.js';
import { Connection } from './connection.js';
import { EarlyCandidates } from './early-candidates.js';
import { Heartbeat } from './heartbeat.js';
import { Liveness } from './liveness.js';
import { judge } from './negotiation.js';
import { MAX_ATTEMPTS, Recovery } from './recovery.js';
import { Renegotiation } from './renegotiation.js';
import { Steps } from './steps.js';
import { Verification } from './verification.js';
import { markOf, whipRole } from './whip.js';

/** @import { LinkHost } from './hosts.d.ts' */
/** @import { Phase } from './recovery.js' */
/** @import { Candidate, Description, Environment, Link as Declared, LinkState, Message, Peer } from '../types.d.ts' */

/** Desyncs in a row that are repaired at once; later ones wait for the watch. */
const IMMEDIATE_REPAIRS = 3;

/**
 * The connection with one peer, through any number of RTCPeerConnections.
 *
 * @implements {Declared}
 */
export class Link {
  #env;
  #host;
  #recovery;
  #renegotiation;
  #verification;
  /** @type {Connection | null} */
  #connection = null;
  #early;
  /** For a peer that calls by WHIP: this end answers, and never offers. @type {Heartbeat | null} */
  #heartbeat;
  /** Names its last offer. */
  #mark = {};
  /** @type {Liveness | null} */
  #liveness = null;
  // A description that the browser rejects is treated like a lost one.
  #negotiation = new Steps(() => this.#desync());
  state = /** @type {LinkState} */ ('waiting');
  /** The peer is no longer a member, as far as is known: the link lasts for as long as it works. */
  departed = false;

  /**
   * @param {Environment} env
   * @param {Peer} peer
   * @param {LinkHost} host
   */
  constructor(env, peer, host) {
    this.#env = env;
    this.peer = peer;
    this.#host = host;
    this.#early = new EarlyCandidates(env.clock);
    this.#heartbeat = whipRole(peer) ? new Heartbeat(env, host) : null;
    this.#recovery = new Recovery(env, host.isPolite, (phase) => this.#repair(phase));
    this.#renegotiation = new Renegotiation(env, host, this.#negotiation);
    this.#verification = new Verification(host.isSealed, () => host.verified(this.verified, this.safetyNumber));
  }

  get pc() {
    return this.#connection?.pc ?? null;
  }

  get channel() {
    return this.#connection?.channel ?? null;
  }

  get verified() {
    return this.#verification.state;
  }

  get safetyNumber() {
    return this.#verification.number;
  }

  /** What the peer lacks in a sealed room. */
  get trouble() {
    return this.#host.trouble();
  }

  /** The user has compared the safety number with the peer's. */
  markCompared() {
    this.#verification.compare();
  }

  /** The peer has just joined and is going to offer. */
  expect() {
    this.#drop();
    this.#recovery.watch('waiting');
    this.#enter('waiting');
  }

  /** Replaces the connection, beginning with an offer. */
  offer() {
    if (this.#heartbeat) return this.#refer();
    this.#recovery.attempts = 0;
    this.#renew();
  }

  /** @param {Description | Candidate} signal */
  take(signal) {
    if (signal.type === 'candidate') this.#negotiation.put(() => this.#early.pass(signal.candidate, this.#connection));
    else this.#negotiation.put(() => this.#description(signal));
  }

  /** @param {RTCConfiguration} configuration */
  configure(configuration) {
    this.#connection?.configure(configuration);
  }

  /** @param {MediaStream | null} stream */
  replaceStream(stream) {
    this.#negotiation.put(async () => this.#connection?.replaceStream(stream));
    this.#renegotiation.resume();
  }

  /** @param {MediaStream | null} stream */
  share(stream) {
    this.#negotiation.put(async () => this.#connection?.share(stream));
    this.#renegotiation.resume();
  }

  /** @param {boolean} on */
  receive(on) {
    this.#negotiation.put(async () => this.#connection?.receive(on));
    this.#renegotiation.resume();
  }

  /** This end's network may have changed. */
  suspect() {
    if (this.state === 'connected' || this.state === 'interrupted') this.#liveness?.doubt();
  }

  /** The server can be reached again. */
  resume() {
    if (this.state === 'failed') this.offer();
    else this.#renegotiation.resume();
  }

  /** The peer is gone from the room. A working connection is left alone, since it could not be repaired. */
  depart() {
    this.departed = true;
    if (this.state !== 'connected') this.close();
  }

  close() {
    this.#drop();
    this.#negotiation.clear();
    this.#early.clear();
    this.#recovery.rest();
    this.#enter('closed');
  }

  /** @param {Description} description */
  async #description(description) {
    const signaling = this.pc?.signalingState ?? 'closed';
    const { remote = null, heard = null, withdrawn = 0 } = this.#connection ?? {};
    const verdict = judge({ polite: this.#host.isPolite(), signaling, remote, heard, withdrawn }, description);
    if (verdict === 'desync') return this.#desync();
    if (verdict !== 'ignore') this.#renegotiation.resume();
    if (verdict === 'drop') return;
    if (verdict === 'repeated') return this.#connection?.addFrom(description);
    if (description.type === 'offer') this.#mark = markOf(this.peer, description);
    if (verdict === 'renew') this.#renew();
    // The polite end answers at once; if it does not, our offer was lost.
    if (this.state !== 'connected') this.#recovery.watch(verdict === 'ignore' ? 'ignored' : this.#heartbeat ? 'answered' : 'connecting');
    if (verdict === 'ignore') return this.#connection?.repeat();
    if (verdict === 'accept') await this.#connection?.accept(description);
    else await this.#connection?.answer(description);
    void this.#verification.look(this.pc?.localDescription?.sdp, this.#connection?.remote);
  }

  /** Replaces the connection. The new one makes an offer, unless it answers one first. */
  #renew() {
    this.#drop();
    const { configuration, channels, ...equipment } = this.#host.equipment();
    const { metadata } = this.peer;
    const { channel, opened, stream: show, data } = this.#host;
    const connection = new Connection(this.#env, configuration, { ...equipment, channels: sharedChannels(metadata, channels) }, {
      ...{ channel, opened, data, stream: show, card: cardOf(metadata) },
      send: (message) => this.#send(message),
      early: (sdp, isFirst) => this.#early.takeFor(sdp, isFirst),
      needed: () => this.#renegotiation.offer(),
      signaling: () => this.#renegotiation.look(),
      changed: () => this.#changed(),
    });
    this.#connection = connection;
    this.#renegotiation.begin(connection);
    this.#liveness = new Liveness(this.#env, connection.pc, this.#host.canSignal, () => void (connection.restartIce() || this.#rebuild()));
    this.#recovery.watch('connecting');
    this.#enter('connecting');
  }

  #drop() {
    this.#connection?.close();
    this.#connection = null;
    void this.#verification.look(undefined, null);
    this.#renegotiation.begin(null);
  }

  #changed() {
    const { pc, isAbandoned } = /** @type {Connection} */ (this.#connection);
    const broken = isAbandoned || pc.connectionState === 'disconnected' || pc.connectionState === 'failed';
    if (broken && this.departed) return this.close();
    if (broken) {
      if (this.state === 'connected') this.#enter('interrupted');
      if (pc.connectionState === 'failed' && !isAbandoned) this.#repair('interrupted');
      // A peer that calls by WHIP notices as late as the browser does.
      else if (!this.#heartbeat) this.#recovery.watch('interrupted');
    } else if (pc.connectionState === 'connected') {
      this.#recovery.calm();
      this.#enter('connected');
    }
  }

  /** @param {Phase} phase */
  #repair(phase) {
    // No signaling would arrive now, and the connection may come back by itself.
    if (!this.#host.canSignal()) return this.#recovery.watch(phase);
    if (phase !== 'interrupted' || this.#connection?.isAbandoned) return this.#rebuild();
    if (!this.#connection?.restartIce()) return this.#rebuild();
    this.#recovery.watch('connecting');
  }

  #desync() {
    if (this.state === 'closed') return;
    if (this.#recovery.attempts < IMMEDIATE_REPAIRS) this.#rebuild();
    else this.#recovery.watch('connecting');
  }

  #rebuild() {
    if (this.#heartbeat) return this.#refer();
    this.#recovery.attempts += 1;
    if (this.#recovery.attempts <= MAX_ATTEMPTS) return this.#renew();
    this.#drop();
    this.#recovery.rest();
    this.#enter('failed');
  }

  /** The peer has to call anew. */
  #refer() {
    this.#send({ type: 'bye', reason: 'failed' });
    this.close();
  }

  /** @param {Message} message */
  #send(message) {
    this.#host.send({ ...message, ...this.#mark });
  }

  /** @param {LinkState} state */
  #enter(state) {
    if (this.state === state || this.state === 'closed') return;
    this.state = state;
    this.#heartbeat?.look(state);
    this.#host.changed(state);
  }
}
