/** Lets callers pass while it is open, and makes them wait while it is shut. */
export class Gate {
  #open = false;
  /** @type {Set<() => void>} */
  #waiting = new Set();

  open() {
    this.#open = true;
    for (const enter of [...this.#waiting]) enter();
  }

  shut() {
    this.#open = false;
  }

  /**
   * @param {AbortSignal} signal ends the wait by rejecting
   * @returns {Promise<void>}
   */
  passed(signal) {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#open) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#waiting.delete(enter);
        signal.removeEventListener('abort', stop);
      };
      const enter = () => (end(), resolve());
      const stop = () => (end(), reject(signal.reason));
      this.#waiting.add(enter);
      signal.addEventListener('abort', stop);
    });
  }
}
