import { ALL_LIVE, lackOf } from './device-news.js';
import { nameOf } from './names.js';
import { copyOf, inside, part } from './page.js';

/** @import { Call, Peer } from '../client/types.d.ts' */
/** @import { DeviceNews } from './device-news.js' */

/** The pictures: one's own and those of the others. */
export class Stage {
  #view = part('stage', HTMLElement);
  #self = part('self', HTMLElement);
  #selfVideo = part('self-video', HTMLVideoElement);
  /** @type {Map<string, HTMLElement>} */
  #tiles = new Map();
  /** What the others said of their devices, by peer id. @type {Map<string, DeviceNews>} */
  #devices = new Map();

  /**
   * @param {MediaStream | null} stream one's own
   * @param {string} name
   */
  showSelf(stream, name) {
    this.#selfVideo.srcObject = stream;
    inside(this.#self, 'initial').textContent = initial(name);
    this.refreshSelf(stream);
  }

  /** The camera may have been turned off. @param {MediaStream | null} stream */
  refreshSelf(stream) {
    this.#selfVideo.hidden = !stream?.getVideoTracks().some(({ enabled }) => enabled);
  }

  /** @param {Call} call */
  follow(call) {
    call.on('link', ({ peer, state }) => {
      if (state === 'closed') this.#remove(peer);
      else this.#tile(peer).dataset.link = state;
    });
    call.on('stream', ({ peer, stream }) => this.#play(peer, stream));
  }

  /**
   * Somebody's devices stopped, or work again. Tells how they were before.
   *
   * @param {Peer} peer
   * @param {DeviceNews} news
   */
  heard(peer, news) {
    const before = this.#devices.get(peer.id) ?? ALL_LIVE;
    this.#devices.set(peer.id, news);
    const tile = this.#tiles.get(peer.id);
    if (tile) this.#mark(tile, peer);
    return before;
  }

  /** Somebody left for good. @param {Peer} peer */
  forget({ id }) {
    this.#devices.delete(id);
  }

  /**
   * The last frame of a camera that stopped would stand there like a picture of now.
   *
   * @param {HTMLElement} tile
   * @param {Peer} peer
   */
  #mark(tile, { id }) {
    const news = this.#devices.get(id) ?? ALL_LIVE;
    tile.dataset.camera = news.camera;
    const lack = lackOf(news);
    inside(tile, 'lack').textContent = lack && ` – ${lack}`;
  }

  clear() {
    this.#devices.clear();
    for (const tile of this.#tiles.values()) tile.remove();
    this.#tiles.clear();
    this.#selfVideo.srcObject = null;
    this.#count();
  }

  /** @param {Peer} peer */
  #tile(peer) {
    const known = this.#tiles.get(peer.id);
    if (known) return known;
    const tile = copyOf('tile');
    tile.dataset.peer = peer.id;
    inside(tile, 'name').textContent = nameOf(peer);
    inside(tile, 'initial').textContent = initial(nameOf(peer));
    this.#mark(tile, peer);
    this.#tiles.set(peer.id, tile);
    this.#view.append(tile);
    this.#count();
    return tile;
  }

  /** @param {Peer} peer */
  #remove({ id }) {
    this.#tiles.get(id)?.remove();
    this.#tiles.delete(id);
    this.#count();
  }

  /**
   * @param {Peer} peer
   * @param {MediaStream} stream
   */
  #play(peer, stream) {
    const tile = this.#tile(peer);
    const video = /** @type {HTMLVideoElement} */ (inside(tile, 'video'));
    const show = () => void (video.hidden = !stream.getVideoTracks().some(({ muted }) => !muted));
    for (const track of stream.getVideoTracks()) track.onmute = track.onunmute = show;
    stream.onaddtrack = stream.onremovetrack = () => this.#play(peer, stream);
    show();
    if (video.srcObject === stream) return;
    video.srcObject = stream;
    video.play().catch((error) => {
      if (error.name === 'NotAllowedError') playSilently(video, inside(tile, 'sound'));
    });
  }

  #count() {
    this.#view.dataset.others = String(this.#tiles.size);
  }
}

/**
 * Nobody has touched this page yet, so the browser plays no sound by itself.
 *
 * @param {HTMLVideoElement} video
 * @param {HTMLElement} button
 */
function playSilently(video, button) {
  video.muted = true;
  void video.play();
  button.hidden = false;
  button.onclick = () => {
    video.muted = false;
    button.hidden = true;
  };
}

/** @param {string} name */
function initial(name) {
  return ([...name][0] ?? '?').toUpperCase();
}
