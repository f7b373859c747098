import { arrange } from './pictures.js';
import { showLock } from './sealed/marks.js';
import { Tile } from './tile.js';

/** @import { LinkState, Peer, Verified } from '../client/types.d.ts' */
/** @import { DeviceNews } from './devices/news.js' */

/** The tiles of one peer: see {@link arrange}. */
export class PeerTiles {
  #peer;
  #view;
  #changed;
  #main;
  /** @type {Map<MediaStreamTrack, Tile>} */
  #more = new Map();
  /** @type {Set<MediaStream>} */
  #streams = new Set();
  /** Id of the stream with the screen that the peer shares. @type {string | undefined} */
  #screen;

  /**
   * @param {Peer} peer
   * @param {HTMLElement} view
   * @param {() => void} changed the number of tiles may have
   */
  constructor(peer, view, changed) {
    this.#peer = peer;
    this.#view = view;
    this.#changed = changed;
    this.#main = this.#add();
  }

  /**
   * @param {LinkState} state
   * @param {Verified} verified
   */
  link(state, verified) {
    for (const { element } of this.#all) element.dataset.link = state;
    this.verified(verified);
  }

  /** @param {Verified} verified */
  verified(verified) {
    showLock(this.#main.element, verified);
  }

  /** @param {DeviceNews} news */
  mark(news) {
    this.#main.mark(news);
    if (news.screen === this.#screen) return;
    this.#screen = news.screen;
    this.#arrange();
  }

  /** In another language. @param {DeviceNews} news */
  translate(news) {
    this.#main.mark(news);
    this.#arrange();
  }

  /** @param {MediaStream} stream that has come, or has changed */
  play(stream) {
    this.#streams.add(stream);
    stream.onaddtrack = stream.onremovetrack = () => this.#arrange();
    this.#arrange();
  }

  /** @param {boolean} speaking */
  speaks(speaking) {
    this.#main.element.dataset.speaking = String(speaking);
  }

  /** @param {number} bars */
  quality(bars) {
    this.#main.quality(bars);
  }

  remove() {
    for (const stream of this.#streams) stream.onaddtrack = stream.onremovetrack = null;
    for (const { element } of this.#all) element.remove();
  }

  get #all() {
    return [this.#main, ...this.#more.values()];
  }

  #add() {
    const tile = new Tile(this.#peer);
    this.#view.append(tile.element);
    return tile;
  }

  #arrange() {
    for (const stream of this.#streams) {
      if (!stream.getTracks().some(({ readyState }) => readyState === 'live')) this.#streams.delete(stream);
      for (const track of stream.getTracks()) track.onmute = track.onunmute = track.onended = () => this.#arrange();
    }
    const { main, more, screens } = arrange(this.#streams, this.#screen);
    this.#main.show(main);
    for (const [track, { element }] of this.#more) {
      if (more.includes(track)) continue;
      element.remove();
      this.#more.delete(track);
    }
    for (const track of more) {
      if (this.#more.has(track)) continue;
      const tile = this.#add();
      this.#more.set(track, tile);
      tile.element.dataset.link = this.#main.element.dataset.link;
      tile.show([track]);
    }
    for (const [track, tile] of this.#more) tile.beside(screens.includes(track));
    this.#changed();
  }
}
