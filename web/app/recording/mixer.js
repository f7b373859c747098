/** Mixes the sound of all tracks into one. */
export class Mixer {
  #context = new AudioContext();
  #out = this.#context.createMediaStreamDestination();
  /** @type {Map<MediaStreamTrack, MediaStreamAudioSourceNode>} */
  #sources = new Map();

  get stream() {
    return this.#out.stream;
  }

  /** From now on, these are heard. @param {MediaStreamTrack[]} tracks */
  follow(tracks) {
    for (const [track, source] of this.#sources) {
      if (tracks.includes(track) && track.readyState === 'live') continue;
      source.disconnect();
      this.#sources.delete(track);
    }
    for (const track of tracks) {
      if (this.#sources.has(track) || track.readyState !== 'live') continue;
      const source = this.#context.createMediaStreamSource(new MediaStream([track]));
      source.connect(this.#out);
      this.#sources.set(track, source);
    }
    // Phones suspend it, for example during a phone call.
    if (this.#context.state !== 'running') void this.#context.resume().catch(() => {});
  }

  close() {
    this.follow([]);
    void this.#context.close();
  }
}
