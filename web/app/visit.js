import { Problem, join } from '../client/index.js';
import { BASE } from './base.js';
import { ObservedConnection } from './ice/observed.js';
import { openMedia } from './media.js';

/** @import { Call, Room } from '../client/types.d.ts' */
/** @import { Wish } from './address.js' */
/** @import { Media } from './media.js' */
/** @import { Facts } from './words.js' */

/** How often to knock at a full room of which nobody knows when a seat frees. */
const KNOCK_MS = 5_000;

/**
 * @typedef {object} Viewer
 * @property {() => void} changed the facts
 * @property {(media: Media) => void} equipped with camera and microphone, or not, or no more
 */

/** @param {{ name?: string }} peer */
export const nameOf = (peer) => peer.name || 'Guest';

/** One stay in a room, from the wish to its end; knows nothing of how it is shown. */
export class Visit {
  #life = new AbortController();
  #viewer;
  #phase = /** @type {Facts['phase']} */ ('asking');
  #freesAt = /** @type {number | null} */ (null);
  #news = '';
  /** @type {Facts['refusal']} */
  #refusal;
  /** @type {Room | null} */
  room = null;
  /** @type {Call | null} */
  call = null;
  /** @type {MediaStream | null} */
  #stream = null;

  /**
   * @param {Wish} wish
   * @param {Viewer} viewer
   */
  constructor(wish, viewer) {
    this.wish = wish;
    this.#viewer = viewer;
  }

  /** @returns {Facts} */
  get facts() {
    const links = [...(this.call?.links.values() ?? [])].map(({ peer, state }) => ({ name: nameOf(peer), state }));
    const freesInMs = this.#freesAt === null ? null : this.#freesAt - performance.now();
    const common = { phase: this.#phase, refusal: this.#refusal, news: this.#news, room: this.room?.state };
    return { ...common, links, freesInMs };
  }

  /**
   * Gets into the room, however long that takes. Resolves with the call, or with null if it was refused or given up.
   *
   * @returns {Promise<Call | null>}
   */
  async begin() {
    if (this.wish.media !== 'none') this.#enter('asking');
    const media = await openMedia(this.wish.media);
    this.#stream = media.stream;
    this.#viewer.equipped(media);
    const { signal } = this.#life;
    while (!signal.aborted && !this.room) await this.#knock(signal);
    if (!this.room || signal.aborted) {
      this.#release();
      return null;
    }
    this.call = this.room.call({ stream: this.#stream });
    this.#follow(this.room, this.call);
    this.#enter('inside');
    return this.call;
  }

  /** Hangs up and leaves; or gives up what has not come about yet. */
  async leave() {
    this.call?.hangUp('hung up');
    const left = this.room?.leave();
    this.#life.abort();
    this.#release();
    await left;
  }

  /** @param {AbortSignal} signal */
  async #knock(signal) {
    const { room, name, capacity, secret } = this.wish;
    this.#enter('joining');
    try {
      const onRetry = () => this.#enter('unanswered');
      this.room = await join(BASE, room, { name, capacity, secret, signal, onRetry, RTCPeerConnection: ObservedConnection });
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem && error.slug === 'room-full') return this.#waitForSeat(error, signal);
      const { message, slug, document } = /** @type {Problem} */ (error);
      this.#refusal = { slug, message, action: document?.action };
      this.#life.abort();
      this.#enter('refused');
    }
  }

  /**
   * @param {Problem} problem
   * @param {AbortSignal} signal
   */
  async #waitForSeat({ document }, signal) {
    const ms = document.frees_in_ms ?? null;
    this.#freesAt = ms === null ? null : performance.now() + ms;
    this.#enter('full');
    await new Promise((resolve) => {
      // A moment longer, so that the seat is free indeed.
      setTimeout(resolve, ms === null ? KNOCK_MS : Math.max(1_000, ms + 250));
      signal.addEventListener('abort', resolve);
    });
  }

  /**
   * @param {Room} room
   * @param {Call} call
   */
  #follow(room, call) {
    room.on('state', ({ state }) => {
      if (state === 'superseded' || state === 'closed' || state === 'kicked') this.#release();
      this.#viewer.changed();
    });
    room.on('peer-joined', () => this.#tell(''));
    room.on('peer-left', ({ peer, reason }) => {
      // Whoever hangs up leaves right after; the first says more.
      if (this.#news === `${nameOf(peer)} hung up`) return;
      this.#tell(`${nameOf(peer)} ${reason === 'kicked' ? 'was removed' : 'left'}`);
    });
    call.on('bye', ({ peer }) => this.#tell(`${nameOf(peer)} hung up`));
    call.on('link', () => this.#viewer.changed());
  }

  /** @param {string} news */
  #tell(news) {
    this.#news = news;
    this.#viewer.changed();
  }

  #release() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#viewer.equipped({ stream: null, notice: '' });
  }

  /** @param {Facts['phase']} phase */
  #enter(phase) {
    this.#phase = phase;
    this.#viewer.changed();
  }
}
