import { Channels } from './channels.js';
import { gathered } from './gathering.js';
import { IncomingStreams } from './incoming-streams.js';
import { OutgoingTracks } from './outgoing-tracks.js';
import { direct } from './receiving.js';
import { candidatesIn, offerAs, placed, roleIn } from './sdp.js';

/** @import { ConnectionHost } from './hosts.d.ts' */
/** @import { DtlsRole } from './sdp.js' */
/** @import { Description, Environment } from '../types.d.ts' */

/**
 * One RTCPeerConnection with the channel for chat: the mechanics of negotiation without its decisions. The methods that
 * negotiate are called one at a time.
 */
export class Connection {
  #env;
  #host;
  #closed = false;
  /** Null if the peer has no data channel. @type {Channels | null} */
  #channels = null;
  #streams;
  #receive;
  #tracks;
  /** @type {() => void} */
  #leave = () => {};
  /** @type {Promise<void>} */
  #gone = new Promise((resolve) => void (this.#leave = resolve));
  /** The remote description in force. @type {string | null} */
  remote = null;
  /** The last remote offer that was answered. @type {string | null} */
  heard = null;
  /** Local offers that were rolled back and may still be answered. */
  withdrawn = 0;
  #repeated = false;
  /** @type {DtlsRole} */
  #role = 'active';

  /**
   * @param {Environment} env
   * @param {RTCConfiguration} configuration
   * @param {{ stream: MediaStream | null, shared: MediaStream | null, receive: boolean, channels: Record<string, number> }} equipment
   * @param {ConnectionHost} host
   */
  constructor(env, configuration, { stream, shared, receive, channels }, host) {
    this.#env = env;
    this.#host = host;
    this.#receive = receive;
    this.pc = new env.RTCPeerConnection(configuration);
    this.#streams = new IncomingStreams(env, host.stream);
    this.#listen();
    if (host.card.channel) {
      this.#channels = new Channels(this.pc, channels, {
        opened: (open) => this.#unlessClosed(() => host.channel(open)),
        changed: () => this.#unlessClosed(host.changed),
        received: (data) => this.#unlessClosed(() => host.data(data)),
        more: (channel) => this.#unlessClosed(() => host.opened(channel)),
      });
    }
    this.#tracks = new OutgoingTracks(this.pc, host.card, stream);
    if (shared) void this.#tracks.share(shared);
    if (!receive) direct(this.pc, false);
    // The browser does not ask for an offer that would be empty without the sections for what the peer sends.
    if (this.#isEmpty) queueMicrotask(() => this.#unlessClosed(host.needed));
  }

  #listen() {
    const { pc } = this;
    const { send, needed, signaling, changed, card } = this.#host;
    pc.onnegotiationneeded = () => this.#unlessClosed(needed);
    pc.onsignalingstatechange = () => this.#unlessClosed(signaling);
    pc.onconnectionstatechange = () => this.#unlessClosed(changed);
    pc.onicecandidate = ({ candidate }) =>
      this.#unlessClosed(() => card.trickle && send({ type: 'candidate', candidate: candidate?.toJSON() ?? null }));
    pc.ontrack = (event) => this.#unlessClosed(() => this.#streams.add(event));
  }

  get channel() {
    return this.#channels?.current ?? null;
  }

  /** The peer has closed its connection: it takes a new one to reach it. */
  get isAbandoned() {
    return this.#channels?.isAbandoned ?? false;
  }

  async offer() {
    // During another exchange the browser asks again once that has ended.
    if (this.pc.signalingState !== 'stable') return;
    if (this.remote === null) this.#tracks.completeOffer();
    else if (this.#isEmpty || !this.#host.card.renegotiates) return;
    await this.#describe();
  }

  /** Sends the first offer again, with the candidates known by now: its recipient may have been a page that is gone. */
  repeat() {
    if (this.#repeated || this.remote !== null) return;
    this.#repeated = true;
    this.#sendDescription();
  }

  /** Withdraws an offer that has not been answered. Resolves with whether there was one. */
  async rollback() {
    if (this.pc.signalingState !== 'have-local-offer') return false;
    await this.#settled(this.pc.setLocalDescription({ type: 'rollback' }));
    this.withdrawn += 1;
    return true;
  }

  /** @param {Description} offer */
  async answer(offer) {
    await this.#apply(offer);
    this.heard = offer.sdp;
    this.#tracks.completeAnswer();
    if (!this.#receive) direct(this.pc, false);
    await this.#describe();
    this.#streams.settle();
  }

  /** @param {Description} answer */
  async accept(answer) {
    await this.#apply(answer);
    this.#role = roleIn(answer.sdp) === 'active' ? 'passive' : 'active';
    this.#streams.settle();
  }

  /** @param {RTCIceCandidateInit | null} candidate */
  async add(candidate) {
    try {
      await this.#settled(this.pc.addIceCandidate(candidate && placed(candidate)));
    } catch {
      // It belongs to an offer that was ignored, or to a connection that is gone.
    }
  }

  /** Adds the candidates in a description that is in force already. @param {Description} description */
  async addFrom({ sdp }) {
    for (const candidate of candidatesIn(sdp)) await this.add(candidate);
  }

  /** @param {RTCConfiguration} configuration used when either end next gathers candidates */
  configure(configuration) {
    // Firefox has it since version 119; before, a new connection gets the new servers.
    if (this.pc.signalingState !== 'closed') this.pc.setConfiguration?.(configuration);
  }

  /** Returns false if that takes a new connection, because the peer negotiates only once. */
  restartIce() {
    if (this.#host.card.renegotiates) this.pc.restartIce();
    return this.#host.card.renegotiates;
  }

  /** @param {boolean} on whether media are received from now on */
  receive(on) {
    if (this.#closed || on === this.#receive) return;
    this.#receive = on;
    direct(this.pc, on);
  }

  /** @param {MediaStream | null} stream */
  async replaceStream(stream) {
    await this.#settled(this.#tracks.replace(stream));
    if (!this.#receive) direct(this.pc, false);
  }

  /** @param {MediaStream | null} stream */
  async share(stream) {
    await this.#settled(this.#tracks.share(stream));
  }

  close() {
    if (this.#closed) return;
    const open = this.channel?.readyState === 'open';
    this.#closed = true;
    this.pc.close();
    this.#leave();
    if (open) this.#host.channel(false);
  }

  async #describe() {
    await this.#settled(this.pc.setLocalDescription());
    if (!this.#host.card.trickle) await this.#settled(gathered(this.#env, this.pc));
    this.#sendDescription();
  }

  /** Nothing of this end's has to be negotiated. */
  get #isEmpty() {
    return !this.#channels && this.#tracks.isEmpty;
  }

  #sendDescription() {
    const { localDescription } = this.pc;
    if (this.#closed || !localDescription) return;
    const { type, sdp } = localDescription;
    if (type === 'answer') this.#role = roleIn(sdp) ?? this.#role;
    this.#host.send(/** @type {Description} */ ({ type, sdp: type === 'offer' ? offerAs(sdp, this.#role) : sdp }));
  }

  /** @param {Description} description */
  async #apply(description) {
    const isFirst = this.remote === null;
    await this.#settled(this.pc.setRemoteDescription(description));
    this.remote = description.sdp;
    if (!this.#receive) direct(this.pc, false);
    for (const candidate of this.#host.early(description.sdp, isFirst)) await this.add(candidate);
  }

  /**
   * Operations on a connection that is closed meanwhile may never settle, and no longer matter.
   *
   * @param {Promise<void>} operation
   */
  async #settled(operation) {
    const relevant = operation.catch((error) => {
      if (!this.#closed) throw error;
    });
    await Promise.race([relevant, this.#gone]);
  }

  /** @param {() => void} tell */
  #unlessClosed(tell) {
    if (!this.#closed) tell();
  }
}
