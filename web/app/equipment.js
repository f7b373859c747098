import { WORDS, describe } from './device-words.js';
import { openMedia, openOne } from './media.js';

/** @import { MediaChoice } from './address.js' */
/** @import { Lack } from './device-words.js' */
/** @import { Kind } from './media.js' */

/** A camera may send nothing for a moment, for instance while the browser shows a prompt. */
const PAUSE_MS = 2_000;

/**
 * The user's camera and microphone. `notice` says what is missing; `choices` are devices that could be used instead.
 *
 * @typedef {{ kind: Kind, deviceId: string, label: string }} Choice
 * @typedef {{ stream: MediaStream | null, notice: string, choices: Choice[] }} Equipped
 */

/** @type {Record<MediaChoice, Kind[]>} */
const WANTED = { both: ['audio', 'video'], audio: ['audio'], none: [] };
export const NOTHING = Object.freeze({ stream: null, notice: '', choices: /** @type {Choice[]} */ ([]) });

/**
 * The user's camera and microphone during a visit: notices when one stops, offers others, and uses it again when it
 * returns. The stream stays the same throughout, so peers see only one.
 */
export class Equipment {
  #choice;
  #changed;
  #devices;
  #life = new AbortController();
  /** @type {MediaStream | null} */
  #stream = null;
  /** Wanted devices that are missing. @type {Map<Kind, Lack>} */
  #lacks = new Map();
  /** A device that was turned off stays off when it is replaced. @type {Map<Kind, boolean>} */
  #enabled = new Map();
  /** Reopened without being asked since devices last changed. @type {Set<Kind>} */
  #retaken = new Set();
  /** @type {Choice[]} */
  #choices = [];

  /**
   * @param {MediaChoice} choice
   * @param {(equipped: Equipped) => void} changed
   * @param {MediaDevices | undefined} [devices]
   */
  constructor(choice, changed, devices = navigator.mediaDevices) {
    this.#choice = choice;
    this.#changed = changed;
    this.#devices = devices;
  }

  get stream() {
    return this.#stream;
  }

  /** The kinds of missing devices. */
  get missing() {
    return [...this.#lacks.keys()];
  }

  async open() {
    const { stream, notice } = await openMedia(this.#choice, this.#devices);
    for (const track of stream?.getTracks() ?? []) this.#take(track, stream);
    const kinds = WANTED[this.#choice].filter((kind) => !this.#has(kind));
    for (const kind of kinds) this.#lacks.set(kind, { why: 'start', words: notice, deviceId: null });
    if (this.#choice !== 'none' && this.#devices) this.#watch(this.#devices);
    await this.#report();
  }

  /**
   * @param {Kind} kind
   * @param {string} [deviceId] any by default
   */
  async use(kind, deviceId) {
    const lack = this.#lacks.get(kind);
    if (!this.#devices || !lack) return;
    try {
      const stream = await openOne(this.#devices, kind, deviceId);
      const [track] = stream.getTracks();
      if (!this.#lacks.has(kind)) return track.stop();
      this.#take(track, stream);
      // The notice from the start was about both.
      for (const [other, still] of this.#lacks) if (still.why === 'start') this.#lacks.set(other, { ...still, why: 'absent' });
    } catch (error) {
      this.#lacks.set(kind, { ...lack, why: 'failed', error: /** @type {DOMException} */ (error).name });
    }
    await this.#report();
  }

  close() {
    this.#life.abort();
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
  }

  /**
   * @param {MediaStreamTrack} track
   * @param {MediaStream | null} stream that contains the track
   */
  #take(track, stream) {
    if (this.#life.signal.aborted) return track.stop();
    const kind = /** @type {Kind} */ (track.kind);
    this.#stream ??= stream;
    for (const other of this.#stream?.getTracks() ?? []) if (other !== track && other.kind === kind) this.#drop(other);
    if (stream !== this.#stream) this.#stream?.addTrack(track);
    track.enabled = this.#enabled.get(kind) ?? true;
    this.#lacks.delete(kind);
    track.onended = () => void this.#ended(track);
    track.onmute = () => this.#muted(track);
    track.onunmute = () => {
      if (this.#lacks.get(kind)?.why === 'paused' && this.#has(kind)) this.#lacks.delete(kind);
      void this.#report();
    };
  }

  /** @param {MediaStreamTrack} track */
  async #ended(track) {
    if (!this.#stream?.getTracks().includes(track)) return;
    this.#drop(track);
    const kind = /** @type {Kind} */ (track.kind);
    this.#lacks.set(kind, { why: 'gone', deviceId: track.getSettings().deviceId ?? null });
    await this.#report();
    // A crash of a browser process ends the track of a device that still works: try once.
    const first = !this.#retaken.has(kind);
    this.#retaken.add(kind);
    if (first) await this.#comeBack();
  }

  /** @param {MediaStreamTrack} track */
  #drop(track) {
    this.#enabled.set(/** @type {Kind} */ (track.kind), track.enabled);
    this.#stream?.removeTrack(track);
    track.stop();
  }

  /** @param {MediaStreamTrack} track */
  #muted(track) {
    const kind = /** @type {Kind} */ (track.kind);
    setTimeout(() => {
      if (!track.muted || track.readyState === 'ended' || this.#life.signal.aborted) return;
      this.#lacks.set(kind, { why: 'paused', deviceId: null });
      void this.#report();
    }, PAUSE_MS);
  }

  /** @param {MediaDevices} devices */
  #watch(devices) {
    const { signal } = this.#life;
    devices.addEventListener('devicechange', () => (this.#retaken.clear(), void this.#comeBack()), { signal });
    for (const kind of WANTED[this.#choice]) {
      void permission(kind).then((status) => status?.addEventListener('change', () => void this.#comeBack(), { signal }));
    }
  }

  /** Reopens a device that has returned, or any if there has never been one, unless that would show a prompt. */
  async #comeBack() {
    await this.#look();
    for (const [kind, { why, deviceId }] of this.#lacks) {
      if (why === 'paused' || (await permission(kind))?.state !== 'granted') continue;
      const back = this.#choices.find((one) => one.kind === kind && (deviceId === null || one.deviceId === deviceId));
      if (back) await this.use(kind, back.deviceId);
    }
    await this.#report();
  }

  /** @param {Kind} kind */
  #has(kind) {
    return this.#stream?.getTracks().some((track) => track.kind === kind) ?? false;
  }

  async #look() {
    const all = this.#lacks.size > 0 ? await this.#devices?.enumerateDevices?.().catch(() => []) : [];
    this.#choices = [...this.#lacks.keys()].flatMap((kind) => (all ?? [])
      .filter((device) => device.kind === `${kind}input` && device.deviceId !== 'communications')
      .map(({ deviceId, label }, at) => ({ kind, deviceId, label: label || `${WORDS[kind].name} ${at + 1}` })));
  }

  async #report() {
    await this.#look();
    for (const [kind, lack] of this.#lacks) {
      const { state } = (await permission(kind)) ?? {};
      if (this.#lacks.get(kind) === lack) this.#lacks.set(kind, { ...lack, permission: state });
    }
    if (this.#life.signal.aborted) return;
    // Chromium lists the default device twice.
    const choices = this.#choices.filter(({ deviceId }) => deviceId !== 'default');
    this.#changed({ stream: this.#stream, notice: describe(this.#lacks), choices });
  }
}

/** Null if the browser does not tell. @param {Kind} kind */
async function permission(kind) {
  try {
    return await navigator.permissions.query({ name: /** @type {PermissionName} */ (WORDS[kind].permission) });
  } catch {
    return null;
  }
}
