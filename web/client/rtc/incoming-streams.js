import { Unsupported } from '../platform/unsupported.js';

/** @import { Environment } from '../types.d.ts' */

/** Directions, as this end sees them, in which the peer sends nothing. @type {Set<RTCRtpTransceiver['currentDirection']>} */
const NOT_SENT = new Set(/** @type {const} */ (['sendonly', 'inactive', 'stopped']));

/**
 * The streams that the peer sends. A track need not belong to one (`a=msid:-`, RFC 8830): such tracks join the peer's
 * latest stream, or one made here.
 */
export class IncomingStreams {
  #MediaStream;
  #show;
  /** @type {MediaStream | null} */
  #home = null;
  /** Tracks without a stream of their own. @type {Map<MediaStreamTrack, RTCRtpTransceiver>} */
  #loose = new Map();

  /**
   * @param {Pick<Environment, 'MediaStream'>} env
   * @param {(stream: MediaStream) => void} show
   */
  constructor({ MediaStream = globalThis.MediaStream }, show) {
    this.#MediaStream = MediaStream;
    this.#show = show;
  }

  /** @param {RTCTrackEvent} event */
  add({ track, streams, transceiver }) {
    const [stream] = streams;
    if (stream) {
      if (this.#home !== stream) for (const one of this.#loose.keys()) stream.addTrack(one);
      this.#home = stream;
    } else if (track) {
      if (!this.#home && !this.#MediaStream) throw new Unsupported('media-stream-missing');
      this.#home ??= new this.#MediaStream();
      this.#home.addTrack(track);
      this.#loose.set(track, transceiver);
    }
    if (this.#home) this.#show(this.#home);
  }

  /** After a negotiation: removes tracks that are no longer sent, as browsers do with streams of the peer's. */
  settle() {
    const gone = [...this.#loose].filter(([, transceiver]) => NOT_SENT.has(transceiver?.currentDirection ?? null));
    for (const [track] of gone) {
      this.#loose.delete(track);
      this.#home?.removeTrack(track);
    }
    if (gone.length > 0 && this.#home) this.#show(this.#home);
  }
}
