/** Questions that one peer may ask before they are answered. */
export const MOST_ASKED = 50;
/** And in a minute, also if it takes them back: each is a note in the chat. */
const MOST_NEW = 100;
const MINUTE_MS = 60_000;

/** How often a user is asked by one peer. */
export class Patience {
  /** When the questions of the last minute came. @type {number[]} */
  #times = [];

  /** Is another question too much? If not, it counts. @param {number} open questions */
  ends(open) {
    const now = performance.now();
    this.#times = this.#times.filter((at) => now - at < MINUTE_MS);
    if (open >= MOST_ASKED || this.#times.length >= MOST_NEW) return true;
    this.#times.push(now);
    return false;
  }
}
