/** @import { Kind } from './media.js' */

/** The user's own stream, with at most one track of each kind. It stays the same throughout a visit, so peers see only one. */
export class OwnStream {
  /** @type {MediaStream | null} */
  stream = null;

  /** @param {Kind} kind */
  trackOf(kind) {
    return this.stream?.getTracks().find((track) => track.kind === kind);
  }

  /**
   * Puts a track in place of the one of its kind.
   *
   * @param {MediaStreamTrack} track
   * @param {MediaStream} stream that contains the track
   */
  put(track, stream) {
    this.stream ??= stream;
    for (const other of this.stream.getTracks()) if (other !== track && other.kind === track.kind) this.drop(other);
    if (stream !== this.stream) this.stream.addTrack(track);
  }

  /** Stops a track, which frees its device. @param {MediaStreamTrack} track */
  drop(track) {
    this.stream?.removeTrack(track);
    track.stop();
  }

  close() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
  }
}
