import { Problem, join } from '../client/index.js';
import { BASE } from './base.js';
import { deviceNews } from './device-news.js';
import { Equipment, NOTHING } from './equipment.js';
import { ObservedConnection } from './ice/observed.js';
import { inOneLine, isolatedName } from './names.js';
import { toApiName } from './room-name.js';

/** @import { Call, Room } from '../client/types.d.ts' */
/** @import { Wish } from './address.js' */
/** @import { Equipped } from './equipment.js' */
/** @import { Facts } from './words.js' */

/** How often to knock at a full room of which nobody knows when a seat frees. */
const KNOCK_MS = 5_000;
/** Whatever the server says: a timer takes no more than 2^31 ms, and a minute is long enough to look again. */
const LONGEST_WAIT_MS = 60_000;

/**
 * @typedef {object} Viewer
 * @property {() => void} changed the facts
 * @property {(equipped: Equipped) => void} equipped with camera and microphone, or not, or no more
 */

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
  #equipment;
  /** What the others were told of it. */
  #told = JSON.stringify(deviceNews([]));

  /**
   * @param {Wish} wish
   * @param {Viewer} viewer
   */
  constructor(wish, viewer) {
    this.wish = wish;
    this.#viewer = viewer;
    this.#equipment = new Equipment(wish.media, (equipped) => this.#equipped(equipped));
  }

  /** @returns {Facts} */
  get facts() {
    const links = [...(this.call?.links.values() ?? [])].map(({ peer, state }) => ({ name: isolatedName(peer), state }));
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
    await this.#equipment.open();
    const { signal } = this.#life;
    while (!signal.aborted && !this.room) await this.#knock(signal);
    if (!this.room || signal.aborted) {
      this.#release();
      return null;
    }
    this.call = this.room.call({ stream: this.#equipment.stream });
    this.#follow(this.room, this.call);
    this.#enter('inside');
    this.#tellDevices();
    return this.call;
  }

  /** Takes another device in place of one that is missing. @param {Parameters<Equipment['use']>} choice */
  async use(...choice) {
    await this.#equipment.use(...choice);
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
      this.room = await join(BASE, toApiName(room), { name, capacity, secret, signal, onRetry, RTCPeerConnection: ObservedConnection });
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem && error.slug === 'room-full') return this.#waitForSeat(error, signal);
      const { message, slug, document } = /** @type {Problem} */ (error);
      this.#refusal = { slug, message: inOneLine(message), action: document?.action };
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
      setTimeout(resolve, ms === null ? KNOCK_MS : Math.min(LONGEST_WAIT_MS, Math.max(1_000, ms + 250)));
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
    room.on('peer-joined', ({ id }) => {
      this.#tell('');
      if (this.#equipment.missing.length > 0) this.#send(id);
    });
    // To the others a new id is somebody new.
    room.on('resumed', ({ renamed }) => renamed && this.#equipment.missing.length > 0 && this.#send(null));
    room.on('peer-left', ({ peer, reason }) => {
      // Whoever hangs up leaves right after; the first says more.
      if (this.#news === `${isolatedName(peer)} hung up`) return;
      this.#tell(`${isolatedName(peer)} ${reason === 'kicked' ? 'was removed' : 'left'}`);
    });
    call.on('bye', ({ peer }) => this.#tell(`${isolatedName(peer)} hung up`));
    call.on('link', () => this.#viewer.changed());
  }

  /** @param {string} news */
  #tell(news) {
    this.#news = news;
    this.#viewer.changed();
  }

  /** @param {Equipped} equipped */
  #equipped(equipped) {
    this.call?.replaceStream(equipped.stream);
    this.#viewer.equipped(equipped);
    this.#tellDevices();
  }

  /** Tells the others if a device has stopped, or works again. */
  #tellDevices() {
    const news = JSON.stringify(deviceNews(this.#equipment.missing));
    if (!this.room || news === this.#told) return;
    this.#told = news;
    this.#send(null);
  }

  /** @param {string | null} to */
  #send(to) {
    // Whoever is gone, or a room that is, need not know.
    void this.room?.send(to, { type: 'data', data: deviceNews(this.#equipment.missing) }).catch(() => {});
  }

  #release() {
    this.#equipment.close();
    this.#viewer.equipped(NOTHING);
  }

  /** @param {Facts['phase']} phase */
  #enter(phase) {
    this.#phase = phase;
    this.#viewer.changed();
  }
}
