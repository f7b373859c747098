/** Speaks while a key is held down, if the microphone is off. Only what the key switched on is switched off with it. */
export class PushToTalk {
  #isOff;
  #turn;
  #held = false;

  /**
   * @param {() => boolean} isOff is the microphone off?
   * @param {(on: boolean) => void} turn the microphone on or off
   */
  constructor(isOff, turn) {
    this.#isOff = isOff;
    this.#turn = turn;
  }

  press() {
    if (this.#held || !this.#isOff()) return;
    this.#held = true;
    this.#turn(true);
  }

  /** The key is up, or may have come up unseen: another window has the focus, or the page is being left. */
  release() {
    if (!this.#held) return;
    this.#held = false;
    this.#turn(false);
  }
}
