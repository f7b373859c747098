import { ALL_LIVE } from './devices/news.js';
import { onLanguage } from './languages/document.js';
import { initialOf } from './names.js';
import { inside, part } from './page.js';
import { PeerTiles } from './peer-tiles.js';
import { Recorders } from './recorders.js';
import { layOut, smallInset } from './tile-layout.js';
import { mark } from './tile.js';

/** @import { Call, Peer } from '../client/types.d.ts' */
/** @import { DeviceNews } from './devices/news.js' */
/** @import { Equipped } from './devices/equipped.js' */

/** The user's own picture and those of the peers. */
export class Stage {
  #view = part('stage', HTMLElement);
  #self = part('self', HTMLElement);
  #selfVideo = part('self-video', HTMLVideoElement);
  /** By peer id. @type {Map<string, PeerTiles>} */
  #tiles = new Map();
  /** The last device news, by peer id. @type {Map<string, DeviceNews>} */
  #devices = new Map();
  #recorders = new Recorders();

  constructor() {
    onLanguage(() => { for (const [id, tiles] of this.#tiles) tiles.translate(this.#devices.get(id) ?? ALL_LIVE); });
    new ResizeObserver(() => this.#fit()).observe(this.#view);
  }

  /**
   * @param {Equipped} own the user's devices
   * @param {string} name
   */
  showSelf({ stream, status }, name) {
    this.#selfVideo.srcObject = stream;
    this.#selfVideo.hidden = status.video !== 'live';
    this.#self.dataset.name = name;
    this.#self.dataset.facing = stream?.getVideoTracks()[0]?.getSettings().facingMode ?? '';
    inside(this.#self, 'initial').textContent = initialOf(name);
    mark(this.#self, { hand: !inside(this.#self, 'hand').hidden, camera: status.video === 'off' ? 'off' : 'live', microphone: status.audio === 'off' ? 'off' : 'live' });
  }

  /** @param {Call} call */
  follow(call) {
    call.on('link', ({ peer, state }) => {
      if (state === 'closed') this.#remove(peer);
      else this.#of(peer).link(state, call.links.get(peer.id)?.verified ?? false);
    });
    call.on('verified', ({ peer, verified }) => this.#tiles.get(peer.id)?.verified(verified));
    call.on('stream', ({ peer, stream }) => this.#of(peer).play(stream));
  }

  /**
   * A peer's devices stopped, or work again. Returns how they were before.
   *
   * @param {Peer} peer
   * @param {DeviceNews} news
   */
  heard(peer, news) {
    const before = this.#devices.get(peer.id) ?? ALL_LIVE;
    this.#devices.set(peer.id, news);
    this.#tiles.get(peer.id)?.mark(news);
    this.#recorders.heard(peer, news.recording === true);
    return before;
  }

  /** A peer left for good. @param {Peer} peer */
  forget({ id }) {
    this.#devices.delete(id);
    this.#recorders.forget(id);
  }

  /**
   * @param {string} id of the peer
   * @param {boolean} speaking
   */
  speaks(id, speaking) {
    this.#tiles.get(id)?.speaks(speaking);
  }

  /**
   * @param {string} id of the peer
   * @param {number} bars
   */
  quality(id, bars) {
    this.#tiles.get(id)?.quality(bars);
  }

  /** The user's own hand. @param {boolean} up */
  raise(up) {
    inside(this.#self, 'hand').hidden = !up;
  }

  clear() {
    this.raise(false);
    this.#devices.clear();
    this.#recorders.clear();
    for (const tiles of this.#tiles.values()) tiles.remove();
    this.#tiles.clear();
    this.#selfVideo.srcObject = null;
    this.#count();
  }

  /** @param {Peer} peer */
  #of(peer) {
    const known = this.#tiles.get(peer.id);
    if (known) return known;
    const tiles = new PeerTiles(peer, this.#view, () => this.#count());
    tiles.mark(this.#devices.get(peer.id) ?? ALL_LIVE);
    this.#tiles.set(peer.id, tiles);
    this.#count();
    return tiles;
  }

  /** @param {Peer} peer */
  #remove({ id }) {
    this.#tiles.get(id)?.remove();
    this.#tiles.delete(id);
    this.#count();
  }

  #count() {
    this.#view.dataset.others = String(this.#others);
    this.#fit();
  }

  get #others() {
    return this.#view.querySelectorAll('[data-peer]').length;
  }

  /** With one other, one's own picture is a small one in the corner. */
  #fit() {
    const { clientWidth: width, clientHeight: height } = this.#view;
    /** @type {HTMLElement[]} */
    const all = [...this.#view.querySelectorAll('.tile')].map((tile) => /** @type {HTMLElement} */ (tile));
    const isScreen = (/** @type {HTMLElement} */ { dataset }) => dataset.screen === 'true';
    const isSmall = this.#others === 1;
    const [tiles, screens] = [all.filter((tile) => !isScreen(tile) && !(isSmall && tile === this.#self)), all.filter(isScreen)];
    const boxes = layOut({ tiles: tiles.length, screens: screens.length, width, height });
    for (const [at, tile] of [...tiles, ...screens].entries()) place(tile, [...boxes.tiles, ...boxes.screens][at]);
    const [large] = [...boxes.screens, ...boxes.tiles];
    if (!isSmall || !large) return;
    const { offsetWidth, offsetHeight } = this.#self;
    const end = smallInset(width, large.width, offsetWidth);
    this.#self.style.setProperty('--inset-end', `${end}px`);
    this.#self.style.setProperty('--inset-bottom', `${smallInset(height, large.height, offsetHeight)}px`);
    // The name of the other ends before it.
    tiles[0]?.style.setProperty('--free', `${(width + large.width) / 2 - end - offsetWidth}px`);
  }
}

/**
 * @param {HTMLElement} tile
 * @param {import('./tile-layout.js').Box} box
 */
function place(tile, box) {
  tile.style.removeProperty('--free');
  for (const [name, value] of Object.entries(box)) tile.style.setProperty(`--${name}`, `${value}px`);
}
