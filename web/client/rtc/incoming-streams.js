import { Unsupported } from '../platform/unsupported.js';

/** @import { Environment } from '../types.d.ts' */

/** Directions, as this end sees them, in which the peer sends nothing. @type {Set<RTCRtpTransceiver['currentDirection']>} */
const NOT_SENT = new Set(/** @type {const} */ (['sendonly', 'inactive', 'stopped']));

/**
 * The streams that the peer sends. A track need not belong to one (`a=msid:-`, RFC 8830): such tracks join a stream of the
 * peer's that has none of their kinds, or one made here. So a camera does not end up in the stream of a screen.
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
      if (stream !== this.#home && this.#isEmpty && this.#fits(stream)) this.#move(stream);
      return this.#show(stream);
    }
    this.#loose.set(track, transceiver);
    if (this.#home && this.#fits(this.#home)) this.#home.addTrack(track);
    else this.#move(this.#made());
    if (this.#home) this.#show(this.#home);
  }

  #made() {
    if (!this.#MediaStream) throw new Unsupported('media-stream-missing');
    return new this.#MediaStream();
  }

  /** @param {MediaStream} stream that loose tracks may join */
  #fits(stream) {
    const kinds = new Set([...this.#loose.keys()].map(({ kind }) => kind));
    return stream.getTracks().every((track) => this.#loose.has(track) || !kinds.has(track.kind));
  }

  /** Nothing of the peer's own is in the stream that loose tracks join. */
  get #isEmpty() {
    return this.#home?.getTracks().every((track) => this.#loose.has(track)) ?? true;
  }

  /** @param {MediaStream} stream that loose tracks join from now on */
  #move(stream) {
    for (const track of this.#loose.keys()) {
      this.#home?.removeTrack(track);
      stream.addTrack(track);
    }
    this.#home = stream;
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
