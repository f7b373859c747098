import { whipRole } from '../client/index.js';
import { show } from './languages/document.js';
import { isolatedName } from './names.js';
import { copyOf, inside, part } from './page.js';

/** @import { Peer } from '../client/types.d.ts' */

/** Questions about those who come into an open room: answer or decline. */
export class Callers {
  #view = part('callers', HTMLElement);
  #asked = 0;

  /**
   * Resolves with whether the user answers the call; with false if it ends before.
   *
   * @param {Peer} peer
   * @param {AbortSignal} signal aborted if the question no longer matters
   * @returns {Promise<boolean>}
   */
  async ask(peer, signal) {
    const card = this.#show(peer);
    const before = document.activeElement;
    // Do not take focus from a text field: a key must not answer by accident. The status tells screen readers about the caller.
    if (!isField(before)) card.focus();
    const yes = await answerOf(card, signal);
    const focused = card.contains(document.activeElement);
    card.remove();
    this.#view.hidden = this.#view.childElementCount === 0;
    if (focused) this.#refocus(before);
    return yes;
  }

  /** @param {Peer} peer */
  #show(peer) {
    const card = copyOf('caller');
    show(inside(card, 'who'), 'calling-you', { names: isolatedName(peer), count: 1 });
    const role = whipRole(peer);
    show(inside(card, 'note'), role ? `${role}-caller-note` : 'caller-note');
    this.#asked += 1;
    for (const [name, role] of /** @type {const} */ ([['who', 'labelledby'], ['note', 'describedby']])) {
      inside(card, name).id = `caller-${name}-${this.#asked}`;
      card.setAttribute(`aria-${role}`, inside(card, name).id);
    }
    this.#view.append(card);
    this.#view.hidden = false;
    return card;
  }

  /** The next question, or what had the focus before. @param {Element | null} before */
  #refocus(before) {
    const next = this.#view.firstElementChild ?? (before?.isConnected && before !== document.body ? before : part('call-room', HTMLElement));
    /** @type {HTMLElement} */ (next).focus();
  }
}

/**
 * @param {HTMLElement} card
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>}
 */
function answerOf(card, signal) {
  return new Promise((resolve) => {
    inside(card, 'answer').addEventListener('click', () => resolve(true));
    inside(card, 'decline').addEventListener('click', () => resolve(false));
    card.addEventListener('keydown', (event) => {
      // A key that is held was meant for what had the focus before.
      if (event.repeat && event.key === 'Enter') event.preventDefault();
      if (!event.repeat && event.key === 'Escape') resolve(false);
    });
    signal.addEventListener('abort', () => resolve(false));
    if (signal.aborted) resolve(false);
  });
}

/** @param {Element | null} element */
function isField(element) {
  return element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement;
}
