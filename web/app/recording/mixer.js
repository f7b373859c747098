/** Mixes the sound of all tracks into one. */
export class Mixer {
  #context = new AudioContext();
  #out = this.#context.createMediaStreamDestination();
  /** @type {Map<MediaStreamTrack, MediaStreamAudioSourceNode>} */
  #sources = new Map();
  /** What Web Audio does not take: Firefox does not mix sample rates. @type {WeakSet<MediaStreamTrack>} */
  #refused = new WeakSet();
  #lacks;

  /** @param {() => void} lacks a track cannot be heard */
  constructor(lacks) {
    this.#lacks = lacks;
  }

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
      if (this.#sources.has(track) || this.#refused.has(track) || track.readyState !== 'live') continue;
      this.#add(track);
    }
    // Phones suspend it, for example during a phone call.
    if (this.#context.state !== 'running') void this.#context.resume().catch(() => {});
  }

  /** @param {MediaStreamTrack} track */
  #add(track) {
    try {
      const source = this.#context.createMediaStreamSource(new MediaStream([track]));
      source.connect(this.#out);
      this.#sources.set(track, source);
    } catch {
      this.#refused.add(track);
      this.#lacks();
    }
  }

  close() {
    this.follow([]);
    void this.#context.close();
  }
}
