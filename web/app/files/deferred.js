/** Does something after a while, once, however often it is asked for meanwhile. */
export class Deferred {
  #action;
  #after;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #over = false;

  /**
   * @param {() => void} action
   * @param {number} after milliseconds
   */
  constructor(action, after) {
    this.#action = action;
    this.#after = after;
  }

  want() {
    if (this.#over) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#action();
    }, this.#after);
  }

  /** For good. */
  stop() {
    this.#over = true;
    clearTimeout(this.#timer);
  }
}
