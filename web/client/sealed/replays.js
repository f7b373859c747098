/** @import { Refusal } from '../types.d.ts' */

/** A message or card that a sealed room does not use. */
export class Unusable extends Error {
  /** @param {Refusal} why */
  constructor(why) {
    super(why);
    this.name = 'Unusable';
    this.why = why;
  }
}

/** Only somebody with the key can begin an epoch, so this is a bound for defects. The oldest are forgotten. */
const MAX_REPLACED = 256;

/**
 * Which numbers of sealed messages have been seen, so that none is used twice or after a later one. Peers that left are not
 * forgotten: it is the server that says so, and it may repeat their messages.
 */
export class Replays {
  /** @type {Map<string, { epoch: string, highest: Map<string, number>, replaced: Set<string> }>} */
  #senders = new Map();

  /**
   * Notes a number. Throws {@link Unusable} if it was used, or if a later one was.
   *
   * @param {string} from
   * @param {string} to empty: all, who have numbers of their own
   * @param {string} epoch
   * @param {number} number
   */
  check(from, to, epoch, number) {
    const known = this.#senders.get(from) ?? { epoch, highest: new Map(), replaced: new Set() };
    this.#senders.set(from, known);
    if (known.replaced.has(epoch)) throw new Unusable('outdated');
    if (epoch !== known.epoch) {
      known.replaced = new Set([...known.replaced, known.epoch].slice(-MAX_REPLACED));
      known.epoch = epoch;
      known.highest.clear();
    }
    if (number <= (known.highest.get(to) ?? 0)) throw new Unusable('repeated');
    known.highest.set(to, number);
  }
}
