import { sdp } from './sdp.js';

let sessions = 0;

/** The part of RTCPeerConnection that negotiation uses. `connect` connects two of them. */
export class FakePeerConnection {
  static all = [];

  signalingState = 'stable';
  connectionState = 'new';
  localDescription = null;
  remoteDescription = null;
  iceGatheringState = 'complete';
  candidates = [];
  transceivers = [];
  restarts = 0;
  sent = new Map();
  /** Channels of the application. */
  more = [];
  #session = (sessions += 1);
  #generation = 0;
  #needed = false;
  /** The local description that a rollback restores. */
  #before = null;

  constructor(configuration) {
    this.configuration = configuration;
    FakePeerConnection.all.push(this);
  }

  get session() {
    return String(this.#session);
  }

  get ufrag() {
    return `${this.#session}.${this.#generation}`;
  }

  createDataChannel(label, options) {
    const said = [];
    const channel = { label, options, readyState: 'connecting', said, send: (text) => said.push(text) };
    // That for chat.
    this.channel ??= channel;
    this.more = [...this.more, channel].filter((one) => one !== this.channel);
    this.#need();
    return channel;
  }

  addTrack(track) {
    this.#need();
    const sender = { track, replaceTrack: async (other) => void this.sent.set(track.kind, other) };
    this.sent.set(track.kind, track);
    this.transceivers.push({ kind: track.kind, sender, receiver: { track: { kind: track.kind } }, direction: 'sendrecv' });
    return sender;
  }

  addTransceiver(kind, { direction }) {
    this.#need();
    this.transceivers.push(this.#transceiver(kind, direction));
  }

  #transceiver(kind, direction) {
    const sender = { replaceTrack: async (track) => void this.sent.set(kind, track) };
    return { kind, sender, receiver: { track: { kind } }, direction };
  }

  getTransceivers() {
    return this.transceivers;
  }

  /** The candidates that were not yet known. */
  gathers() {
    this.iceGatheringState = 'complete';
    this.onicegatheringstatechange?.();
  }

  setConfiguration(configuration) {
    this.configuration = configuration;
  }

  restartIce() {
    this.restarts += 1;
    this.#generation += 1;
    this.#need();
  }

  /** @param {{ type: 'rollback' }} [description] */
  async setLocalDescription(description) {
    if (description) return this.#rollback();
    const type = this.signalingState === 'have-remote-offer' ? 'answer' : 'offer';
    await null;
    if (this.signalingState === 'closed') return new Promise(() => {});
    if (type === 'offer') this.#before = this.localDescription;
    const gathered = this.iceGatheringState === 'complete' ? ['a=candidate:1 1 udp 1 192.0.2.1 9 typ host'] : [];
    this.localDescription = { type, sdp: sdp(this.#session, { ufrag: this.ufrag, lines: [`a=setup:${type === 'offer' ? 'actpass' : 'active'}`, ...gathered] }) };
    this.#go(type === 'offer' ? 'have-local-offer' : 'stable');
    // Simplified: a browser fires again if something remains to be negotiated.
    this.#needed = false;
    this.onicecandidate?.({ candidate: { toJSON: () => ({ candidate: `of ${this.#session}` }) } });
  }

  async #rollback() {
    await null;
    if (this.signalingState !== 'have-local-offer') throw new DOMException('nothing to roll back', 'InvalidStateError');
    this.localDescription = this.#before;
    this.#go('stable');
    // The changes in the offer must still be negotiated.
    this.#need();
  }

  /** As a test sets them. */
  transceivers = [];

  getTransceivers() {
    return this.transceivers;
  }

  /** Receivers of the remote tracks, and the bytes received so far. */
  receivers = [];
  received = 0;

  getReceivers() {
    return this.receivers;
  }

  async getStats() {
    return new Map([['pair', { type: 'candidate-pair', bytesReceived: this.received }]]);
  }

  async setRemoteDescription(description) {
    await null;
    if (this.signalingState === 'closed') return new Promise(() => {});
    if (/broken/.test(description.sdp)) throw new DOMException('broken', 'OperationError');
    if (description.type === 'offer' && this.signalingState === 'have-local-offer' && !this.remoteDescription) {
      throw new DOMException('Failed to start SCTP transport', 'OperationError'); // Chromium may do this, at a later point
    }
    if (description.type === 'answer' && this.signalingState !== 'have-local-offer') {
      throw new DOMException('no offer', 'InvalidStateError');
    }
    this.remoteDescription = description;
    const offered = description.type === 'offer' ? [...description.sdp.matchAll(/^m=(audio|video)/gm)] : [];
    for (const [, kind] of offered) if (!this.transceivers.some((one) => one.kind === kind)) this.transceivers.push(this.#transceiver(kind, 'recvonly'));
    this.#go(description.type === 'offer' ? 'have-remote-offer' : 'stable');
  }

  async addIceCandidate(candidate) {
    if (candidate?.candidate === 'unknown') throw new DOMException('unknown ufrag', 'OperationError');
    this.candidates.push(candidate);
  }

  close() {
    this.signalingState = 'closed';
    this.connectionState = 'closed';
    if (this.channel) this.channel.readyState = 'closed';
  }

  /** Changes the connection's state, as the network would. */
  become(state) {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }

  /** Changes the channel's state. */
  channelBecomes(state) {
    this.channel.readyState = state;
    (state === 'open' ? this.channel.onopen : this.channel.onclose)?.();
  }

  connect() {
    this.become('connected');
    this.channelBecomes('open');
  }

  #need() {
    this.#needed = true;
    setImmediate(() => this.#ask());
  }

  #ask() {
    if (this.#needed && this.signalingState === 'stable') this.onnegotiationneeded?.();
  }

  #go(state) {
    this.signalingState = state;
    this.onsignalingstatechange?.();
  }
}

export class FakeMediaStream {
  tracks = new Set();

  addTrack(track) {
    this.tracks.add(track);
  }

  removeTrack(track) {
    this.tracks.delete(track);
  }

  getTracks() {
    return [...this.tracks];
  }
}
