import { Connection } from './connection.js';
import { EarlyCandidates } from './early-candidates.js';
import { Liveness } from './liveness.js';
import { judge } from './negotiation.js';
import { MOST_ATTEMPTS, Recovery } from './recovery.js';
import { Steps } from './steps.js';

/** @import { Phase } from './recovery.js' */
/** @import { Candidate, Description, Environment, Link as Declared, LinkState, Message, Peer } from '../types.d.ts' */

/**
 * @typedef {object} Host what a link needs of its call
 * @property {() => { configuration: RTCConfiguration, stream: MediaStream | null }} equipment
 * @property {() => boolean} isPolite
 * @property {() => boolean} canSignal
 * @property {(message: Message) => void} send
 * @property {(state: LinkState) => void} changed
 * @property {(open: boolean) => void} channel
 * @property {(stream: MediaStream) => void} stream
 * @property {(data: unknown) => void} data
 */

/** Desyncs in a row that are repaired at once; after these the watch sets the pace. */
const HASTY_REPAIRS = 3;

/**
 * The connection with one peer, through as many RTCPeerConnections as that takes.
 *
 * @implements {Declared}
 */
export class Link {
  #env;
  #host;
  #recovery;
  /** @type {Connection | null} */
  #connection = null;
  #early = new EarlyCandidates();
  /** @type {Liveness | null} */
  #liveness = null;
  // A description that a browser refuses is as good as none.
  #negotiation = new Steps(() => this.#desync());
  state = /** @type {LinkState} */ ('waiting');
  /** The peer is no member any more as far as is known: the link lasts as long as it holds. */
  departed = false;

  /**
   * @param {Environment} env
   * @param {Peer} peer
   * @param {Host} host
   */
  constructor(env, peer, host) {
    this.#env = env;
    this.peer = peer;
    this.#host = host;
    this.#recovery = new Recovery(env, host.isPolite, (phase) => this.#repair(phase));
  }

  get pc() {
    return this.#connection?.pc ?? null;
  }

  get channel() {
    return this.#connection?.channel ?? null;
  }

  /** The peer has just come and is going to offer. */
  expect() {
    this.#drop();
    this.#recovery.watch('waiting');
    this.#enter('waiting');
  }

  /** Connects anew, beginning with an offer. */
  offer() {
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
  }

  /** This end's network may have changed. */
  suspect() {
    if (this.state === 'connected' || this.state === 'interrupted') this.#liveness?.doubt();
  }

  /** The peer is gone from the room. What works is left alone; there is nobody with whom to repair it. */
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
    const { remote = null, heard = null } = this.#connection ?? {};
    const verdict = judge({ polite: this.#host.isPolite(), signaling, remote, heard }, description);
    if (verdict === 'desync') return this.#desync();
    if (verdict === 'drop') return;
    if (verdict === 'renew') this.#renew();
    // The polite end answers at once. If it does not, it never got our offer.
    if (this.state !== 'connected') this.#recovery.watch(verdict === 'ignore' ? 'ignored' : 'connecting');
    if (verdict === 'ignore') return this.#connection?.repeat();
    if (verdict === 'accept') await this.#connection?.accept(description);
    else await this.#connection?.answer(description);
  }

  /** Replaces the connection. The new one asks for an offer by itself, unless it answers first. */
  #renew() {
    this.#drop();
    const { configuration, stream } = this.#host.equipment();
    const { send, channel, stream: show, data } = this.#host;
    /** @type {Connection} */
    const connection = new Connection(this.#env, configuration, stream, {
      send,
      channel,
      data,
      stream: show,
      early: (sdp) => this.#early.takeFor(sdp),
      wanted: () => this.#negotiation.put(() => connection.offer()),
      changed: () => this.#changed(),
    });
    this.#connection = connection;
    this.#liveness = new Liveness(this.#env, connection.pc, this.#host.canSignal, () => connection.restartIce());
    this.#recovery.watch('connecting');
    this.#enter('connecting');
  }

  #drop() {
    this.#connection?.close();
    this.#connection = null;
  }

  #changed() {
    const { pc, isAbandoned } = /** @type {Connection} */ (this.#connection);
    const broken = isAbandoned || pc.connectionState === 'disconnected' || pc.connectionState === 'failed';
    if (broken && this.departed) return this.close();
    if (broken) {
      if (this.state === 'connected') this.#enter('interrupted');
      if (pc.connectionState === 'failed' && !isAbandoned) this.#repair('interrupted');
      else this.#recovery.watch('interrupted');
    } else if (pc.connectionState === 'connected') {
      this.#recovery.calm();
      this.#enter('connected');
    }
  }

  /** @param {Phase} phase */
  #repair(phase) {
    // Nothing that is said now would arrive, and the connection may yet come back by itself.
    if (!this.#host.canSignal()) return this.#recovery.watch(phase);
    if (phase !== 'interrupted' || this.#connection?.isAbandoned) return this.#rebuild();
    this.#connection?.restartIce();
    this.#recovery.watch('connecting');
  }

  #desync() {
    if (this.state === 'closed') return;
    if (this.#recovery.attempts < HASTY_REPAIRS) this.#rebuild();
    else this.#recovery.watch('connecting');
  }

  #rebuild() {
    this.#recovery.attempts += 1;
    if (this.#recovery.attempts <= MOST_ATTEMPTS) return this.#renew();
    this.#drop();
    this.#recovery.rest();
    this.#enter('failed');
  }

  /** @param {LinkState} state */
  #enter(state) {
    if (this.state === state || this.state === 'closed') return;
    this.state = state;
    this.#host.changed(state);
  }
}
