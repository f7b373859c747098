import { lastingStorage } from '../client/index.js';
import { show } from './languages/document.js';
import { part } from './page.js';
import { KEPT } from './recording/kept-key.js';

/** @import { Only, Recorded } from './recording/scene.js' */

/** The buttons that record the call, or one tile of it. What that takes is loaded with the first use. */
export class Record {
  #button = part('record', HTMLButtonElement);
  #call;
  /** Ends the recording. @type {AbortController | null} */
  #now = null;

  /** @param {Recorded} call */
  constructor(call) {
    this.#call = call;
    this.#button.addEventListener('click', () => void this.#press(null));
    part('stage', HTMLElement).addEventListener('click', ({ target }) => {
      const tile = /** @type {Element} */ (target).closest('[data-part="record"]')?.closest('.tile');
      const { peer = '', screen } = /** @type {HTMLElement | null | undefined} */ (tile)?.dataset ?? {};
      if (tile) void this.#press({ peer, screen });
    });
    part('record-close', HTMLButtonElement).addEventListener('click', () => { part('record-note', HTMLElement).hidden = true; });
    if (lastingStorage.getItem(KEPT)) void import('./recording/left-behind.js').then(({ offerLeftBehind }) => offerLeftBehind(), () => {});
  }

  /** Is there a call to record? If there is none any more, the recording ends. @param {boolean} on */
  allow(on) {
    this.#button.hidden = !on;
    if (!on) this.#now?.abort();
  }

  /** @param {Only | null} only this tile */
  async #press(only) {
    if (this.#now) return this.#now.abort();
    const now = new AbortController();
    this.#now = now;
    // Until the recording that has ended is saved, there is no other.
    now.signal.addEventListener('abort', () => this.#button.setAttribute('aria-disabled', 'true'));
    try {
      const { record } = await import('./recording/start.js');
      await record(this.#call, only, now.signal);
    } catch {
      show(part('record-words', HTMLElement), 'record-not-loaded');
      part('record-note', HTMLElement).hidden = false;
    }
    this.#now = null;
    this.#button.removeAttribute('aria-disabled');
  }
}
