import { onLanguage, show } from '../languages/document.js';
import { isolatedName } from '../names.js';
import { part } from '../page.js';
import { button, make, newId } from './elements.js';
import { nameIn, sizeIn } from './words.js';

/** @import { Transfer } from './transfer.js' */

/** Asks about files that somebody wants to send, where the page also asks about callers. */
export class Questions {
  #view = part('callers', HTMLElement);
  /** @type {Map<Transfer, HTMLElement>} */
  #cards = new Map();
  #forget = onLanguage(() => {
    for (const [transfer, card] of this.#cards) writeSize(card, transfer);
  });

  /** @param {Transfer} transfer the question is shown for as long as it is not answered */
  update(transfer) {
    const isAsked = transfer.file.state === 'asked';
    if (isAsked === this.#cards.has(transfer)) return;
    if (isAsked) this.#ask(transfer);
    else this.#close(transfer);
  }

  /** @param {Transfer} transfer */
  #ask(transfer) {
    const { file, peer } = transfer;
    const [who, what, note] = [make('h2', { id: newId() }), make('p', { id: newId() }), make('p', { class: 'quiet', key: 'file-offer-note' })];
    show(who, 'file-offer', { name: isolatedName(peer) });
    const name = make('bdi', { class: 'file-name', test: 'file-question-name' });
    name.textContent = nameIn(file);
    what.append(name, ' ', make('span', { class: 'count' }));
    const answers = make('div', { class: 'answers' },
      button('file-accept', 'file-question-accept', () => transfer.accept(), 'primary'), button('decline', 'file-question-decline', () => transfer.cancel()));
    const card = make('section', { class: 'caller card', role: 'alertdialog', 'aria-modal': 'false', tabindex: '-1', test: 'file-question', 'aria-labelledby': who.id, 'aria-describedby': what.id },
      who, make('div', { class: 'file-what' }, what, note), answers);
    writeSize(card, transfer);
    // The chat tells screen readers; the focus stays where the user works.
    card.addEventListener('keydown', ({ key, repeat }) => key === 'Escape' && !repeat && transfer.cancel());
    this.#cards.set(transfer, card);
    this.#view.append(card);
    this.#view.hidden = false;
  }

  /** @param {Transfer} transfer */
  #close(transfer) {
    const card = this.#cards.get(transfer);
    const focused = card?.contains(document.activeElement);
    card?.remove();
    this.#cards.delete(transfer);
    this.#view.hidden = this.#view.childElementCount === 0;
    // Not one of its buttons: a key must not answer the next question, which may be about a caller.
    const next = this.#view.firstElementChild ?? part('files', HTMLElement);
    if (focused) /** @type {HTMLElement} */ (next).focus();
  }

  clear() {
    this.#forget();
    for (const transfer of [...this.#cards.keys()]) this.#close(transfer);
  }
}

/**
 * @param {HTMLElement} card
 * @param {Transfer} transfer
 */
function writeSize(card, { file }) {
  /** @type {HTMLElement} */ (card.querySelector('.count')).textContent = sizeIn(file.offer.size);
}
