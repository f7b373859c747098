/** @typedef {{ lossPercent: number, roundTripMs: number, limited: boolean }} Outgoing `limited`: the browser would send more than the line takes */
/** @typedef {'full' | 'half' | 'small'} Size */

/** @type {readonly Size[]} */
const SIZES = ['full', 'half', 'small'];
/** Looks in a row, before a smaller picture is sent. A burst of loss is no bad line. */
const POOR_LOOKS = 3;
/** Looks in a row, before a larger one is tried again. */
const GOOD_LOOKS = 8;
/** Each larger picture that fails doubles that, up to this many times. */
const DOUBLINGS = 4;

/** Decides how large a picture one connection carries: smaller when the line gets worse, and larger when it is good again. */
export class Adapting {
  #at = 0;
  #poor = 0;
  #good = 0;
  #doublings = 0;
  /** Looks since a larger picture was tried. */
  #tried = Infinity;

  get size() {
    return SIZES[this.#at];
  }

  /** @param {Outgoing} outgoing since the last look @returns {Size} */
  look({ lossPercent, roundTripMs, limited }) {
    const isPoor = lossPercent > 8 || (limited && roundTripMs > 400);
    const isGood = lossPercent < 2 && !(limited && roundTripMs > 250);
    this.#poor = isPoor ? this.#poor + 1 : 0;
    this.#good = isGood ? this.#good + 1 : 0;
    this.#tried += 1;
    if (this.#poor >= POOR_LOOKS && this.#at < SIZES.length - 1) this.#smaller();
    else if (this.#good >= GOOD_LOOKS * 2 ** this.#doublings && this.#at > 0) this.#larger();
    return this.size;
  }

  #smaller() {
    const failed = this.#tried <= GOOD_LOOKS;
    this.#doublings = failed ? Math.min(DOUBLINGS, this.#doublings + 1) : 0;
    this.#move(1);
  }

  #larger() {
    this.#tried = 0;
    this.#move(-1);
  }

  /** @param {number} by */
  #move(by) {
    this.#at += by;
    this.#poor = this.#good = 0;
  }
}

/**
 * How a picture of this size is encoded. What is missing is up to the browser.
 *
 * @type {Record<Size, { scaleResolutionDownBy: number, maxBitrate?: number, maxFramerate?: number }>}
 */
export const ENCODING = {
  full: { scaleResolutionDownBy: 1 },
  half: { scaleResolutionDownBy: 2, maxBitrate: 600_000 },
  small: { scaleResolutionDownBy: 4, maxBitrate: 150_000, maxFramerate: 15 },
};

/** @param {any[]} reports of a connection */
export function outgoingOf(reports) {
  const videos = reports.filter(({ kind }) => kind === 'video');
  const heard = videos.filter(({ type }) => type === 'remote-inbound-rtp');
  const most = (/** @type {string} */ member) => Math.max(0, ...heard.map((report) => report[member] ?? 0));
  const limited = videos.some(({ type, qualityLimitationReason }) => type === 'outbound-rtp' && qualityLimitationReason === 'bandwidth');
  return { lossPercent: 100 * most('fractionLost'), roundTripMs: 1000 * most('roundTripTime'), limited };
}
