/** Speed is that of this long. */
const SPAN_MS = 5_000;
/** Before that, a speed would be a guess. */
const LEAST_MS = 1_000;

/** How fast a transfer is at present. */
export class Pace {
  /** @type {{ at: number, done: number }[]} */
  #marks = [];

  /**
   * @param {number} at milliseconds
   * @param {number} done bytes so far
   */
  mark(at, done) {
    // After an interruption it may begin further back.
    if (done < (this.#marks.at(-1)?.done ?? 0)) this.#marks = [];
    this.#marks.push({ at, done });
    while (this.#marks.length > 2 && at - this.#marks[1].at >= SPAN_MS) this.#marks.shift();
  }

  /** It stands still: what was before says nothing about what comes. */
  clear() {
    this.#marks = [];
  }

  /** Bytes in a second; null if that is not known yet. */
  get speed() {
    const [first, last] = [this.#marks[0], this.#marks.at(-1)];
    if (!first || !last || last.at - first.at < LEAST_MS) return null;
    return ((last.done - first.done) / (last.at - first.at)) * 1_000;
  }

  /** Seconds until everything is done; null if that is not known. @param {number} size */
  remaining(size) {
    const [speed, done] = [this.speed, this.#marks.at(-1)?.done ?? 0];
    return speed ? (size - done) / speed : null;
  }
}
