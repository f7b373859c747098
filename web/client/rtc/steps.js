/** Runs asynchronous steps one at a time, in the order in which they were put. */
export class Steps {
  /** @type {(() => Promise<void>)[]} */
  #waiting = [];
  #running = false;
  #failed;

  /** @param {() => void} failed a step was in vain; the next one follows all the same */
  constructor(failed) {
    this.#failed = failed;
  }

  /** @param {() => Promise<void>} step */
  put(step) {
    this.#waiting.push(step);
    if (!this.#running) void this.#run();
  }

  clear() {
    this.#waiting = [];
  }

  async #run() {
    this.#running = true;
    for (let step = this.#waiting.shift(); step; step = this.#waiting.shift()) await step().catch(this.#failed);
    this.#running = false;
  }
}
