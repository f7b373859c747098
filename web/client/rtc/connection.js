import { Channels } from './channels.js';
import { IncomingStreams } from './incoming-streams.js';
import { offerAs, roleIn } from './sdp.js';

/** @import { DtlsRole } from './sdp.js' */
/** @import { Description, Environment, Message } from '../types.d.ts' */

/**
 * @typedef {object} Ends whom a connection tells
 * @property {(message: Message) => void} send to the other end, by signaling
 * @property {(sdp: string) => (RTCIceCandidateInit | null)[]} early what came before this description and belongs to it
 * @property {() => void} wanted an offer is due
 * @property {() => void} changed
 * @property {(open: boolean) => void} channel
 * @property {(stream: MediaStream) => void} stream
 * @property {(data: unknown) => void} data
 */

/**
 * One RTCPeerConnection with the channel for chat: the mechanics of negotiation without its decisions. The methods
 * that negotiate are called one at a time.
 */
export class Connection {
  #ends;
  #closed = false;
  #channels;
  #streams;
  /** The senders of the stream's tracks, by kind. @type {Map<string, RTCRtpSender>} */
  #senders = new Map();
  /** @type {() => void} */
  #leave = () => {};
  /** @type {Promise<void>} */
  #gone = new Promise((resolve) => void (this.#leave = resolve));
  /** The other end's description in force. @type {string | null} */
  remote = null;
  /** The last offer that was taken up. @type {string | null} */
  heard = null;
  #repeated = false;
  /** @type {DtlsRole} */
  #role = 'active';

  /**
   * @param {Environment} env
   * @param {RTCConfiguration} configuration
   * @param {MediaStream | null} stream
   * @param {Ends} ends
   */
  constructor(env, configuration, stream, ends) {
    this.#ends = ends;
    this.pc = new env.RTCPeerConnection(configuration);
    this.#streams = new IncomingStreams(env, ends.stream);
    this.#listen();
    this.#channels = new Channels(this.pc, {
      opened: (open) => this.#unlessClosed(() => ends.channel(open)),
      changed: () => this.#unlessClosed(ends.changed),
      received: (data) => this.#unlessClosed(() => ends.data(data)),
    });
    for (const track of stream?.getTracks() ?? []) this.#addTrack(track, /** @type {MediaStream} */ (stream));
  }

  #listen() {
    const { pc } = this;
    const { send, wanted, changed } = this.#ends;
    pc.onnegotiationneeded = () => this.#unlessClosed(wanted);
    pc.onconnectionstatechange = () => this.#unlessClosed(changed);
    pc.onicecandidate = ({ candidate }) =>
      this.#unlessClosed(() => send({ type: 'candidate', candidate: candidate?.toJSON() ?? null }));
    pc.ontrack = (event) => this.#unlessClosed(() => this.#streams.add(event));
  }

  get channel() {
    return this.#channels.current;
  }

  /** The other end closed its connection: only a new one can follow. */
  get isAbandoned() {
    return this.#channels.isAbandoned;
  }

  async offer() {
    // An offer that is due while another exchange is under way is asked for again after it.
    if (this.pc.signalingState === 'stable') await this.#describe();
  }

  /** Says the first offer again, with the candidates known by now: it may have gone to a page that is gone. */
  repeat() {
    if (this.#repeated || this.remote !== null) return;
    this.#repeated = true;
    this.#sendDescription();
  }

  /** @param {Description} offer */
  async answer(offer) {
    await this.#apply(offer);
    this.heard = offer.sdp;
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
      await this.#settled(this.pc.addIceCandidate(candidate));
    } catch {
      // It belongs to an offer that was ignored, or to a connection that is gone.
    }
  }

  /** @param {RTCConfiguration} configuration for whenever candidates are gathered again, at whichever end's wish */
  configure(configuration) {
    if (this.pc.signalingState !== 'closed') this.pc.setConfiguration(configuration);
  }

  restartIce() {
    this.pc.restartIce();
  }

  /**
   * Sends one track of each kind. A kind that is sent already changes without negotiating.
   *
   * @param {MediaStream | null} stream
   */
  async replaceStream(stream) {
    for (const kind of ['audio', 'video']) {
      const track = stream?.getTracks().find((one) => one.kind === kind) ?? null;
      const sender = this.#senders.get(kind);
      if (sender) await this.#settled(sender.replaceTrack(track));
      else if (track) this.#addTrack(track, /** @type {MediaStream} */ (stream));
    }
  }

  /**
   * @param {MediaStreamTrack} track
   * @param {MediaStream} stream
   */
  #addTrack(track, stream) {
    this.#senders.set(track.kind, this.pc.addTrack(track, stream));
  }

  close() {
    if (this.#closed) return;
    const open = this.channel.readyState === 'open';
    this.#closed = true;
    this.pc.close();
    this.#leave();
    if (open) this.#ends.channel(false);
  }

  async #describe() {
    await this.#settled(this.pc.setLocalDescription());
    this.#sendDescription();
  }

  #sendDescription() {
    const { localDescription } = this.pc;
    if (this.#closed || !localDescription) return;
    const { type, sdp } = localDescription;
    if (type === 'answer') this.#role = roleIn(sdp) ?? this.#role;
    this.#ends.send(/** @type {Description} */ ({ type, sdp: type === 'offer' ? offerAs(sdp, this.#role) : sdp }));
  }

  /** @param {Description} description */
  async #apply(description) {
    await this.#settled(this.pc.setRemoteDescription(description));
    this.remote = description.sdp;
    for (const candidate of this.#ends.early(description.sdp)) await this.add(candidate);
  }

  /**
   * What was begun on a connection that is then closed may never settle, and does not matter any more.
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
