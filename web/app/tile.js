import { whipRole } from '../client/index.js';
import { lackOf, offOf } from './devices/news.js';
import { toSpeaker } from './devices/speaker.js';
import { show } from './languages/document.js';
import { say } from './languages/say.js';
import { initialOf, nameOf } from './names.js';
import { copyOf, inside } from './page.js';
import { QUALITY } from './quality.js';
import { enlarge } from './tile-tools.js';

/** @import { Peer } from '../client/types.d.ts' */
/** @import { DeviceNews } from './devices/news.js' */

/** A picture with sound, and the name of the peer that sends it. */
export class Tile {
  #stream = new MediaStream();
  #video;
  /** @type {ReturnType<typeof whipRole>} */
  #role;

  /** @param {Peer} peer */
  constructor(peer) {
    this.#role = whipRole(peer);
    this.element = copyOf('tile');
    this.element.dataset.peer = peer.id;
    if (this.#role) this.element.dataset.role = this.#role;
    this.#video = /** @type {HTMLVideoElement} */ (inside(this.element, 'video'));
    void toSpeaker(this.#video);
    inside(this.element, 'name').textContent = nameOf(peer);
    inside(this.element, 'initial').textContent = initialOf(nameOf(peer));
    enlarge(this.element, this.#video, nameOf(peer));
  }

  /** @param {string} text after the name */
  note(text) {
    const all = [this.#role ? say(this.#role) : '', text].filter(Boolean).join(', ');
    inside(this.element, 'lack').textContent = all && ` – ${all}`;
  }

  /** Without this, the last frame of a camera that stopped would pass for a current picture. @param {DeviceNews} news */
  mark(news) {
    mark(this.element, news);
    this.note(lackOf(news));
  }

  /** A second picture. @param {boolean} isScreen */
  beside(isScreen) {
    this.element.dataset.screen = String(isScreen);
    this.note(say(isScreen ? 'screen' : 'another-picture'));
  }

  /** @param {number} bars of three; none are shown if this is not known */
  quality(bars) {
    const view = inside(this.element, 'bars');
    view.dataset.bars = String(bars);
    view.hidden = bars === 0;
    const key = QUALITY[bars];
    if (key) show(inside(view, 'quality'), key);
    else inside(view, 'quality').textContent = '';
  }

  /** @param {MediaStreamTrack[]} tracks */
  show(tracks) {
    const before = this.#stream.getTracks();
    for (const track of before) if (!tracks.includes(track)) this.#stream.removeTrack(track);
    for (const track of tracks) this.#stream.addTrack(track);
    this.#video.hidden = !tracks.some(({ kind, muted }) => kind === 'video' && !muted);
    if (tracks.every((track) => before.includes(track))) return;
    if (this.#video.srcObject !== this.#stream) this.#video.srcObject = this.#stream;
    this.#video.play().catch((error) => {
      if (error.name === 'NotAllowedError') playSilently(this.#video, inside(this.element, 'sound'));
    });
  }
}

/**
 * Shows on a tile what is missing or switched off.
 *
 * @param {HTMLElement} element
 * @param {DeviceNews} news
 */
export function mark(element, news) {
  element.dataset.camera = news.camera;
  element.dataset.microphone = news.microphone;
  const off = [offOf(news), news.hand ? say('hand-raised') : '', news.recording ? say('is-recording') : ''].filter(Boolean).join(', ');
  element.dataset.recording = String(news.recording === true);
  inside(element, 'off').textContent = off && ` (${off})`;
  inside(element, 'hand').hidden = !news.hand;
}

/**
 * Without a user gesture on this page, the browser does not play sound. Some do not even show moving pictures, as on phones that save
 * power.
 *
 * @param {HTMLVideoElement} video
 * @param {HTMLElement} button
 */
function playSilently(video, button) {
  video.muted = true;
  video.play().catch(() => {});
  button.hidden = false;
  button.onclick = () => {
    video.muted = false;
    button.hidden = true;
    void toSpeaker(video);
    video.play().catch(() => { button.hidden = false; });
  };
}
