import { Controls, DeviceNotice } from './controls.js';
import { howToAllow } from './devices/allow.js';
import { Equipment } from './devices/equipment.js';
import { NOTHING, WANTED } from './devices/equipped.js';
import { meter } from './devices/meter.js';
import { Pickers } from './devices/pickers.js';
import { onLanguage } from './languages/document.js';
import { part } from './page.js';

/** @import { MediaChoice } from './address.js' */
/** @import { Equipped } from './devices/equipped.js' */

/** Camera and microphone before a call, which only the user sees and hears. They are opened by a click, and are then used in the call. */
export class Preview {
  #view = part('preview-view', HTMLElement);
  #start = part('preview-start', HTMLButtonElement);
  #video = part('preview-video', HTMLVideoElement);
  #level = part('preview-level', HTMLMeterElement);
  #allow = part('preview-allow', HTMLElement);
  #controls;
  #notice;
  #pickers;
  /** @type {MediaChoice} */
  #media = 'both';
  /** @type {Equipment | null} */
  #equipment = null;
  /** What the meter measures. @type {{ track: MediaStreamTrack, end: () => void } | null} */
  #measured = null;

  constructor() {
    const actions = { retry: () => void this.#equipment?.retry(), use: (/** @type {import('./devices/choices.js').Choice} */ { kind, deviceId }) => void this.#equipment?.use(kind, deviceId) };
    this.#controls = new Controls((kind, on) => void this.#equipment?.turn(kind, on), { audio: 'preview-microphone', video: 'preview-camera' });
    this.#notice = new DeviceNotice(actions, { notice: 'preview-notice', choices: 'preview-choices', next: 'join' });
    this.#pickers = new Pickers(part('preview-pickers', HTMLElement), (kind, deviceId) => void this.#equipment?.use(kind, deviceId));
    onLanguage(() => void this.#equipment?.open());
    this.#start.addEventListener('click', () => this.#open());
  }

  /** What the user wants to join with. @param {MediaChoice} media */
  want(media) {
    const wasOpen = this.#equipment !== null;
    if (media !== this.#media) this.close();
    this.#media = media;
    part('preview', HTMLElement).hidden = WANTED[media].length === 0;
    if (wasOpen && !this.#equipment && WANTED[media].length > 0) this.#open();
  }

  /** Hands over what is open. */
  take() {
    const taken = this.#equipment;
    this.#equipment = null;
    this.close();
    return taken ?? undefined;
  }

  close() {
    this.#equipment?.close();
    this.#equipment = null;
    this.#show(NOTHING);
    this.#view.hidden = true;
    this.#start.hidden = false;
  }

  #open() {
    /** @type {Equipment} */
    const equipment = new Equipment(this.#media, (equipped) => equipment === this.#equipment && this.#show(equipped));
    this.#equipment = equipment;
    const focused = document.activeElement === this.#start;
    this.#start.hidden = true;
    this.#view.hidden = false;
    if (focused) part('join', HTMLElement).focus({ preventScroll: true });
    void equipment.open();
  }

  /** @param {Equipped} equipped */
  #show(equipped) {
    const { stream, status } = equipped;
    this.#video.srcObject = stream;
    this.#video.hidden = status.video !== 'live';
    part('preview-dark', HTMLElement).hidden = status.video === 'live';
    this.#measure(status.audio === 'live' ? stream?.getAudioTracks()[0] : undefined);
    this.#controls.show(status);
    this.#notice.show(equipped);
    this.#allow.hidden = !equipped.blocked;
    this.#allow.textContent = equipped.blocked ? howToAllow(navigator.userAgent) : '';
    if (this.#equipment) void this.#pickers.show(equipped);
  }

  /** @param {MediaStreamTrack} [track] */
  #measure(track) {
    if (this.#measured?.track === track) return;
    this.#measured?.end();
    this.#level.value = 0;
    const bar = /** @type {HTMLElement} */ (this.#level.parentElement);
    // A bar that does not move would say that nobody is heard.
    const end = track ? meter(track, (level) => {
      bar.hidden = level === null;
      this.#level.value = level ?? 0;
    }) : null;
    bar.hidden = Boolean(track) && !end;
    this.#measured = track ? { track, end: end ?? (() => {}) } : null;
  }
}
