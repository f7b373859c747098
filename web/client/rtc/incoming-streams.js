/** @import { Environment } from '../types.d.ts' */

/** Directions, as this end sees them, in which the other sends nothing. @type {Set<RTCRtpTransceiver['currentDirection']>} */
const NOT_SENT = new Set(/** @type {const} */ (['sendonly', 'inactive', 'stopped']));

/**
 * What the other end sends, as streams. A track need not belong to one (`a=msid:-`, RFC 8830): such tracks of one
 * connection are put together, into the other end's own stream where it has one.
 */
export class IncomingStreams {
  #MediaStream;
  #show;
  /** @type {MediaStream | null} */
  #home = null;
  /** Tracks that were put together here. @type {Map<MediaStreamTrack, RTCRtpTransceiver>} */
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
      this.#home ??= new this.#MediaStream();
      this.#home.addTrack(track);
      this.#loose.set(track, transceiver);
    }
    if (this.#home) this.#show(this.#home);
  }

  /** After a negotiation: what is no longer sent is taken out, as browsers do it with streams of the other end's own. */
  settle() {
    const gone = [...this.#loose].filter(([, transceiver]) => NOT_SENT.has(transceiver?.currentDirection ?? null));
    for (const [track] of gone) {
      this.#loose.delete(track);
      this.#home?.removeTrack(track);
    }
    if (gone.length > 0 && this.#home) this.#show(this.#home);
  }
}
