import { whipRole } from '../client/index.js';
import { Admittance } from './admittance.js';
import { Equipment } from './devices/equipment.js';
import { NOTHING } from './devices/equipped.js';
import { Extras } from './devices/extras.js';
import { DeviceTeller } from './devices/teller.js';
import { say } from './languages/say.js';
import { isolatedName } from './names.js';
import { CHANNELS, enterRoom, refusalOf } from './room-entry.js';
import { followLacks, lackingIn } from './sealed/lacks.js';

/** @import { Call, Link, Peer, Room } from '../client/types.d.ts' */
/** @import { Wish } from './address.js' */
/** @import { Equipped } from './devices/equipped.js' */
/** @import { Kind } from './devices/media.js' */
/** @import { Viewer } from './viewer.d.ts' */
/** @import { Facts, News, Refusal } from './words.js' */

/** One visit to a room, from the wish to the end. Knows nothing of how it is shown. */
export class Visit {
  #life = new AbortController();
  #viewer;
  #receive;
  #phase = /** @type {Facts['phase']} */ ('asking');
  #freesAt = /** @type {number | null} */ (null);
  #news = /** @type {News | null} */ (null);
  /** @type {Facts['refusal']} */
  #refusal;
  /** @type {Room | null} */
  room = null;
  /** @type {Call | null} */
  call = null;
  #equipment;
  extras = new Extras(
    () => (this.#viewer.shown(this.extras.told), this.#teller?.tell()),
    (error) => this.#viewer.noted('screen-not-shared', { error }),
  );
  /** @type {DeviceTeller | null} */
  #teller = null;
  #admittance;

  /**
   * @param {Wish} wish
   * @param {Viewer} viewer
   * @param {Equipment} [equipment] that is open already
   */
  constructor(wish, viewer, equipment = new Equipment(wish.media, () => {})) {
    this.wish = wish;
    this.#viewer = viewer;
    this.#admittance = new Admittance(viewer);
    this.#receive = wish.media !== 'chat';
    this.#equipment = equipment;
    equipment.follow((equipped) => this.#equipped(equipped));
  }

  /** @returns {Facts} */
  get facts() {
    const lacking = lackingIn(this.room, this.call, this.#admittance.declinedHere);
    const fitting = [...(this.call?.links.values() ?? [])].filter(({ peer }) => !lacking.has(peer.id));
    const links = fitting.map((link) => ({ name: isolatedName(link.peer), state: this.#stateOf(link) }));
    const freesInMs = this.#freesAt === null ? null : this.#freesAt - performance.now();
    const common = { phase: this.#phase, refusal: this.#refusal, news: this.#news ? say(this.#news.key, this.#news) : '', room: this.room?.state };
    return { ...common, links, freesInMs, callers: this.#admittance.callers, lacking: [...lacking.values()] };
  }

  /**
   * Joins the room, however long that takes. Resolves with the call, or with null if that was refused or cancelled.
   *
   * @returns {Promise<Call | null>}
   */
  async begin() {
    if (this.wish.media === 'both' || this.wish.media === 'audio') this.#enter('asking');
    await this.#equipment.open();
    const { signal } = this.#life;
    this.room = await enterRoom(this.wish, signal, {
      trying: (phase) => this.#enter(phase),
      full: (freesAt) => (this.#freesAt = freesAt, this.#enter('full')),
      refused: (refusal) => (this.#life.abort(), this.#refuse(refusal)),
    });
    if (!this.room || signal.aborted) {
      this.#release();
      return null;
    }
    // Who has the secret was invited; anybody can come into an open room.
    const { room } = this;
    const admit = this.#isOpen ? (/** @type {Peer} */ peer, /** @type {{ signal: AbortSignal }} */ { signal }) => this.#admittance.ask(room, peer, signal) : undefined;
    this.call = room.call({ stream: this.#equipment.stream, receive: this.#receive, admit, channels: CHANNELS });
    this.#follow(room, this.call);
    this.#enter('inside');
    return this.call;
  }

  /**
   * The user switches camera or microphone on or off. Who had chosen to chat only sees and hears the others from then on.
   *
   * @param {Kind} kind
   * @param {boolean} on
   */
  async turn(kind, on) {
    if (on && !this.#receive) this.call?.receive(true);
    if (on) this.#receive = true;
    await this.#equipment.turn(kind, on);
  }

  /** The user's own devices. @returns {Pick<Equipment, 'use' | 'retry' | 'open'>} */
  get devices() {
    return this.#equipment;
  }

  /** Hangs up and leaves, or cancels a join. */
  async leave() {
    this.call?.hangUp('hung up');
    const left = this.room?.leave();
    this.#life.abort();
    this.#release();
    await left;
  }

  /**
   * @param {Room} room
   * @param {Call} call
   */
  #follow(room, call) {
    room.on('state', ({ state, error }) => {
      // It was away for so long that it has to be let in again, and is not.
      if (state === 'closed' && error) this.#refusal = refusalOf(error);
      if (state === 'superseded' || state === 'closed' || state === 'kicked') this.#release();
      this.#viewer.changed();
    });
    room.on('peer-joined', (peer) => whipRole(peer) || this.#tell(null));
    followLacks(room, () => this.#viewer.changed());
    room.on('peer-left', ({ peer, reason }) => {
      // An encoder that nobody answers comes back every other second.
      if (whipRole(peer)) return;
      // A peer that hangs up leaves right after; the first message says more.
      if (this.#news?.key === 'hung-up' && this.#news.name === isolatedName(peer)) return;
      this.#tell({ key: reason === 'kicked' ? 'removed' : 'left', name: isolatedName(peer) });
    });
    call.on('bye', ({ peer, reason }) => {
      if (reason === 'declined') return this.#declinedBy(room, peer);
      if (whipRole(peer)) return void (reason === 'ended' && this.#tell({ key: 'left', name: isolatedName(peer) }));
      this.#tell({ key: 'hung-up', name: isolatedName(peer) });
    });
    call.on('link', () => this.#viewer.changed());
    this.extras.follow(call);
    this.#teller = new DeviceTeller(room, call, () => ({ missing: this.#equipment.missing, off: this.#equipment.off, extra: this.extras.told }));
  }

  get #isOpen() {
    return !this.wish.secret;
  }

  /** @param {Link} link @returns {Facts['links'][number]['state']} */
  #stateOf({ peer, state, pc }) {
    const isCaller = this.#isOpen && peer.order < (this.room?.self.order ?? 0);
    return isCaller && state === 'connecting' && !pc?.remoteDescription ? 'calling' : state;
  }

  /**
   * A caller declined by everyone gives up the seat.
   *
   * @param {Room} room
   * @param {Peer} peer
   */
  #declinedBy(room, peer) {
    const isLast = this.#admittance.declinedBy(room, peer);
    this.#tell({ key: 'declined', name: isolatedName(peer) });
    if (!isLast) return;
    this.#refuse({ slug: 'declined', message: '', name: isolatedName(peer) });
    void this.leave();
  }

  /** @param {Refusal} refusal */
  #refuse(refusal) {
    this.#refusal = refusal;
    this.#enter('refused');
  }

  /** @param {News | null} news */
  #tell(news) {
    this.#news = news;
    this.#viewer.changed();
  }

  /** @param {Equipped} equipped */
  #equipped(equipped) {
    this.call?.replaceStream(equipped.stream);
    this.#viewer.equipped(equipped);
    this.#teller?.tell();
  }

  #release() {
    this.extras.close();
    this.#viewer.shown(null);
    this.#equipment.close();
    this.#viewer.equipped(NOTHING);
  }

  /** @param {Facts['phase']} phase */
  #enter(phase) {
    this.#phase = phase;
    this.#viewer.changed();
  }
}
