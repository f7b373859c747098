/** Keeps the screen of a phone on while a call is in view, where the browser and the server's policy allow that. */
export class WakeLock {
  #page;
  #lock;
  #wanted = false;
  /** @type {{ release: () => Promise<void> } | null} */
  #held = null;

  /**
   * @param {Pick<Document, 'addEventListener' | 'visibilityState'>} [page]
   * @param {Locker | null} [lock]
   *
   * @typedef {{ request: (type: 'screen') => Promise<{ release: () => Promise<void> }> }} Locker
   */
  constructor(page = document, lock = navigator.wakeLock) {
    this.#page = page;
    this.#lock = lock;
    // The browser releases it whenever the page is hidden.
    page.addEventListener('visibilitychange', () => {
      this.#held = null;
      void this.#ask();
    });
  }

  /** @param {boolean} on */
  want(on) {
    if (on === this.#wanted) return;
    this.#wanted = on;
    if (on) void this.#ask();
    else this.#release();
  }

  async #ask() {
    if (!this.#wanted || this.#held || this.#page.visibilityState !== 'visible') return;
    try {
      this.#held = await this.#lock?.request('screen') ?? null;
      if (!this.#wanted) this.#release();
    } catch {
      // The battery is low, or it is not allowed: the screen goes off, as without this.
    }
  }

  #release() {
    void this.#held?.release().catch(() => {});
    this.#held = null;
  }
}
