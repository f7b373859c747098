/** @import { Card } from './card.js' */

const KINDS = ['audio', 'video'];

/**
 * What this end sends on one connection: at most one track of each kind, the same of what is shared besides, and nothing to a peer that does
 * not receive.
 */
export class OutgoingTracks {
  #pc;
  #card;
  /** By kind. @type {Map<string, RTCRtpSender>} */
  #senders = new Map();
  /** Of what is shared, by kind. They are used again, so that descriptions do not grow. @type {Map<string, RTCRtpTransceiver>} */
  #shared = new Map();

  /**
   * @param {RTCPeerConnection} pc
   * @param {Card} card of the peer
   * @param {MediaStream | null} stream
   */
  constructor(pc, card, stream) {
    this.#pc = pc;
    this.#card = card;
    if (card.receives) for (const track of stream?.getTracks() ?? []) this.#add(track, /** @type {MediaStream} */ (stream));
  }

  get isEmpty() {
    return this.#senders.size === 0;
  }

  /** An offer that has to say everything at once has a section for each kind that the peer may send. */
  completeOffer() {
    const { sends, channel, renegotiates } = this.#card;
    if (!sends || (channel && renegotiates)) return;
    for (const kind of KINDS) if (!this.#senders.has(kind)) this.#pc.addTransceiver(kind, { direction: 'recvonly' });
  }

  /** Everything at once here, too: a camera that is off may be switched on later. */
  completeAnswer() {
    const { receives, renegotiates, sends } = this.#card;
    if (!receives || renegotiates) return;
    for (const transceiver of this.#pc.getTransceivers()) {
      const { kind } = transceiver.receiver.track;
      if (this.#senders.has(kind) || isStopped(transceiver)) continue;
      transceiver.direction = sends ? 'sendrecv' : 'sendonly';
      this.#senders.set(kind, transceiver.sender);
    }
  }

  /**
   * A kind that is sent already changes without negotiation.
   *
   * @param {MediaStream | null} stream
   */
  async replace(stream) {
    for (const kind of this.#card.receives ? KINDS : []) {
      const track = stream?.getTracks().find((one) => one.kind === kind) ?? null;
      const sender = this.#senders.get(kind);
      if (sender && !this.#isRejected(sender)) await sender.replaceTrack(track);
      else if (!sender && track) this.#add(track, /** @type {MediaStream} */ (stream));
    }
  }

  /**
   * Sends this stream besides, or ends that. A peer that negotiates once does not get it.
   *
   * @param {MediaStream | null} stream
   */
  async share(stream) {
    const { receives, renegotiates } = this.#card;
    for (const kind of receives && renegotiates ? KINDS : []) {
      const track = stream?.getTracks().find((one) => one.kind === kind) ?? null;
      const transceiver = this.#shared.get(kind);
      if (!transceiver && track) this.#shared.set(kind, this.#pc.addTransceiver(track, { direction: 'sendonly', streams: [/** @type {MediaStream} */ (stream)] }));
      if (!transceiver || isStopped(transceiver)) continue;
      await transceiver.sender.replaceTrack(track);
      if (stream && track) transceiver.sender.setStreams?.(stream);
      transceiver.direction = track ? 'sendonly' : 'inactive';
    }
  }

  /** The peer does not want its kind: nothing can be sent in this section any more. @param {RTCRtpSender} sender */
  #isRejected(sender) {
    const transceiver = this.#pc.getTransceivers().find((one) => one.sender === sender);
    return !transceiver || isStopped(transceiver);
  }

  /**
   * @param {MediaStreamTrack} track
   * @param {MediaStream} stream
   */
  #add(track, stream) {
    const sender = this.#pc.addTrack(track, stream);
    this.#senders.set(track.kind, sender);
    if (this.#card.sends) return;
    const transceiver = this.#pc.getTransceivers().find((one) => one.sender === sender);
    if (transceiver) transceiver.direction = 'sendonly';
  }
}

/** As after an answer with port 0 (RFC 8829, section 5.3.1). @param {RTCRtpTransceiver} transceiver */
function isStopped({ direction }) {
  return direction === 'stopped';
}
