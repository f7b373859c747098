import { WANTED } from './equipped.js';
import { openMedia } from './media.js';
import { MissingDevices } from './missing.js';
import { OwnStream } from './own-stream.js';
import { permission } from './permissions.js';
import { Preferences } from './preferences.js';
import { swap } from './swap.js';
import { Switches } from './switches.js';
import { watchDevices, watchTrack } from './watch.js';

/** @import { MediaChoice } from '../address.js' */
/** @import { DeviceStatus, Equipped } from './equipped.js' */
/** @import { Kind } from './media.js' */

/**
 * The user's camera and microphone during a visit: notices when one stops, offers others, and uses it again when it
 * returns. A camera that is switched off is given back; a microphone that is muted stays open.
 */
export class Equipment {
  #wanted;
  #changed;
  #devices;
  #switches;
  #life = new AbortController();
  #own = new OwnStream();
  #missing;
  #preferences;
  /** The ids of the devices that were used last, or are preferred. @type {Map<Kind, string>} */
  #used = new Map();
  #opened = false;
  /** Reopened without being asked since devices last changed. @type {Set<Kind>} */
  #retaken = new Set();

  /**
   * @param {MediaChoice} choice
   * @param {(equipped: Equipped) => void} changed
   * @param {MediaDevices | undefined} [devices]
   * @param {Switches} [switches]
   * @param {Preferences} [preferences]
   */
  constructor(choice, changed, devices = navigator.mediaDevices, switches = new Switches(), preferences = new Preferences()) {
    this.#wanted = new Set(WANTED[choice]);
    this.#changed = changed;
    this.#devices = devices;
    this.#switches = switches;
    this.#missing = new MissingDevices(devices);
    this.#preferences = preferences;
    for (const [what, id] of preferences.all) if (what !== 'speaker') this.#used.set(what, id);
  }

  /** @param {(equipped: Equipped) => void} changed is told from now on */
  follow(changed) {
    this.#changed = changed;
  }

  get stream() { return this.#own.stream; }

  /** The kinds that are wanted and not sent. */
  get missing() {
    return [...this.#wanted].filter((kind) => this.#missing.has(kind) || (kind === 'video' && this.#isOff(kind)));
  }

  /** The kinds that are wanted and switched off. */
  get off() {
    return [...this.#wanted].filter((kind) => this.#isOff(kind));
  }

  /** Opens what is wanted, once. */
  async open() {
    if (this.#opened) return this.#report();
    this.#opened = true;
    const permitted = () => void this.#comeBack();
    if (this.#devices) watchDevices(this.#devices, this.#life.signal, { permitted, plugged: () => (this.#retaken.clear(), permitted()) });
    await this.#open([...this.#wanted].filter((kind) => kind === 'audio' || !this.#isOff(kind)), 'start');
  }

  /**
   * The user switches a device on, which may never have been asked for, or off.
   *
   * @param {Kind} kind
   * @param {boolean} on
   */
  async turn(kind, on) {
    this.#switches.turn(kind, on);
    this.#wanted.add(kind);
    const track = this.#own.trackOf(kind);
    if (on && !track) return this.#open([kind], 'failed');
    if (kind === 'video' && !on) this.#missing.delete(kind);
    if (track && kind === 'video' && !on) this.#own.drop(track);
    else if (track) track.enabled = on;
    await this.#report();
  }

  /** Opens the missing devices again. */
  async retry() {
    await this.#open(this.#missing.closed, 'failed');
  }

  /**
   * The user chooses a device. It takes the place of the one in use without a pause, and is remembered.
   *
   * @param {Kind} kind
   * @param {string} deviceId
   */
  async use(kind, deviceId) {
    this.#preferences.set(kind, deviceId);
    if (this.#own.trackOf(kind) || this.#missing.has(kind)) return this.#swap(kind, deviceId);
    this.#used.set(kind, deviceId);
  }

  close() {
    this.#life.abort();
    this.#own.close();
  }

  /**
   * @param {Kind} kind
   * @param {string} deviceId
   */
  async #swap(kind, deviceId) {
    if (!this.#devices) return;
    const opened = await swap(this.#devices, kind, deviceId, { own: this.#own, missing: this.#missing, used: this.#used });
    if (opened) this.#take(opened.getTracks()[0], opened);
    await this.#report();
  }

  /**
   * @param {Kind[]} kinds
   * @param {'start' | 'failed'} why of what cannot be opened
   */
  async #open(kinds, why) {
    const { streams, failures } = await openMedia(kinds, this.#devices, async (kind) => (await permission(kind))?.state, this.#used);
    for (const stream of streams) for (const track of stream.getTracks()) this.#take(track, stream);
    for (const [kind, error] of failures) this.#missing.set(kind, { why, error, deviceId: this.#missing.get(kind)?.deviceId ?? null });
    await this.#report();
  }

  /**
   * @param {MediaStreamTrack} track
   * @param {MediaStream} stream that contains the track
   */
  #take(track, stream) {
    const kind = /** @type {Kind} */ (track.kind);
    // A camera may have been switched off again while it was being opened.
    if (this.#life.signal.aborted || (kind === 'video' && this.#isOff(kind))) return (track.stop(), stream.removeTrack(track));
    this.#own.put(track, stream);
    track.enabled = !this.#isOff(kind);
    this.#used.set(kind, track.getSettings().deviceId ?? '');
    this.#missing.delete(kind);
    const changed = () => this.#own.trackOf(kind) === track && void this.#report();
    watchTrack(track, {
      ended: () => void this.#ended(track),
      paused: () => (this.#missing.pause(kind), changed()),
      resumed: () => (this.#missing.resume(kind), changed()),
    });
  }

  /** @param {MediaStreamTrack} track */
  async #ended(track) {
    const kind = /** @type {Kind} */ (track.kind);
    if (this.#own.trackOf(kind) !== track) return;
    this.#own.drop(track);
    this.#missing.set(kind, { why: 'gone', deviceId: this.#used.get(kind) ?? null });
    await this.#report();
    // A crash of a browser process ends the track of a device that still works: try once.
    const first = !this.#retaken.has(kind);
    this.#retaken.add(kind);
    if (first) await this.#comeBack();
  }

  /** Reopens a device that has returned, or any if there has never been one, unless that would show a prompt. */
  async #comeBack() {
    await this.#missing.look();
    for (const [kind, { why, deviceId }] of this.#missing) {
      if (why === 'paused' || (await permission(kind))?.state !== 'granted') continue;
      const back = this.#missing.choices.find((one) => one.kind === kind && (!deviceId || one.deviceId === deviceId));
      if (back) await this.#swap(kind, back.deviceId);
    }
    await this.#report();
  }

  /** @param {Kind} kind */
  #isOff(kind) {
    return this.#switches.off.includes(kind);
  }

  async #report() {
    await this.#missing.refresh();
    if (this.#life.signal.aborted) return;
    this.#changed({ stream: this.stream, ...this.#missing.report([...this.#wanted]), used: new Map(this.#used), status: { audio: this.#statusOf('audio'), video: this.#statusOf('video') } });
  }

  /** @param {Kind} kind @returns {DeviceStatus} */
  #statusOf(kind) {
    if (!this.#devices) return 'unavailable';
    if (this.#own.trackOf(kind)) return this.#isOff(kind) ? 'off' : 'live';
    return this.#missing.has(kind) ? 'missing' : 'off';
  }
}
