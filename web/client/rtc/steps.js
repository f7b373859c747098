/** Runs asynchronous steps one at a time, in order. */
export class Steps {
  /** @type {(() => Promise<void>)[]} */
  #waiting = [];
  #running = false;
  #failed;

  /** @param {() => void} failed a step has failed; the next one runs all the same */
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
