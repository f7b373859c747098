/** @import { Call } from '../../client/types.d.ts' */
/** @import { Extra } from './news.js' */

/** What browsers do not know they ignore. @type {DisplayMediaStreamOptions & { [more: string]: unknown }} */
const WANTED = { video: true, audio: true, selfBrowserSurface: 'exclude', surfaceSwitching: 'include', systemAudio: 'include' };

/** What the user shows besides camera and microphone: a screen, a raised hand, and that the call is being recorded. */
export class Extras {
  #changed;
  #failed;
  #devices;
  /** The same for all screens, one after the other: peers are not told about a track that only moves to another stream. @type {MediaStream | null} */
  #home = null;
  #sharing = false;
  #hand = false;
  #recording = false;
  #over = false;
  /** @type {Call | null} */
  #call = null;

  /**
   * @param {() => void} changed
   * @param {(error: string) => void} failed the screen could not be had
   * @param {MediaDevices | undefined} [devices]
   */
  constructor(changed, failed, devices = navigator.mediaDevices) {
    this.#changed = changed;
    this.#failed = failed;
    this.#devices = devices;
  }

  /** For the others. @returns {Extra} */
  get told() {
    return { ...(this.#sharing && { screen: this.#home?.id }), ...(this.#hand && { hand: true }), ...(this.#recording && { recording: true }) };
  }

  /** The shared screen. */
  get screen() {
    return this.#sharing ? this.#home : null;
  }

  /** Phones cannot share theirs. */
  get canShare() {
    return Boolean(this.#devices?.getDisplayMedia);
  }

  /** @param {Call} call */
  follow(call) {
    this.#call = call;
  }

  raiseOrLower() {
    this.#hand = !this.#hand;
    this.#changed();
  }

  /** @param {boolean} on */
  record(on) {
    if (this.#over || this.#recording === on) return;
    this.#recording = on;
    this.#changed();
  }

  /** Asks for a screen, a window or a tab, with its sound if it can be had, or ends sharing. */
  async shareOrStop() {
    if (this.#sharing) return this.#stop();
    const stream = await this.#devices?.getDisplayMedia(WANTED).catch((error) => {
      if (!isChoice(error)) this.#failed(error.name);
    });
    if (!stream) return;
    // The call may be over by now, or a screen is shared already.
    if (this.#over || this.#sharing) return end(stream);
    this.#home ??= stream;
    if (this.#home !== stream) for (const track of stream.getTracks()) this.#home.addTrack(track);
    this.#sharing = true;
    const [picture] = stream.getVideoTracks();
    if ('contentHint' in picture) picture.contentHint = 'detail';
    // The browser has a button of its own for this.
    picture.onended = () => this.#home?.getTracks().includes(picture) && this.#stop();
    this.#call?.share(this.#home);
    this.#changed();
  }

  close() {
    this.#over = true;
    end(this.#home);
    this.#sharing = false;
    this.#hand = false;
    this.#recording = false;
  }

  #stop() {
    end(this.#home);
    this.#sharing = false;
    this.#call?.share(null);
    this.#changed();
  }
}

/** @param {MediaStream | null} stream */
function end(stream) {
  for (const track of stream?.getTracks() ?? []) {
    track.stop();
    stream?.removeTrack(track);
  }
}

/** The user has changed their mind. The system's refusal has the same name in Chromium, and says so. @param {DOMException} error */
function isChoice({ name, message }) {
  return name === 'NotAllowedError' && !/system/i.test(message);
}
