import { newKey } from '../../client/index.js';
import { show } from '../languages/document.js';
import { part } from '../page.js';
import { canSeal, whyNoSeal } from './seal.js';

/** @import { Seal } from './seal.js' */

/** What each choice means. */
const NOTES = /** @type {const} */ ({ link: 'seal-link-note', passphrase: 'seal-passphrase-note', none: 'seal-not-note' });

/**
 * How the room in the form is sealed. One that the page suggests has a key of its own, and so has one that came by a link with a key.
 * Any other was typed: who types its name elsewhere has no key, so it is not sealed unless the user chooses that.
 */
export class SealChoice {
  #choice = part('seal', HTMLSelectElement);
  #field = part('passphrase-field', HTMLElement);
  #passphrase = part('passphrase', HTMLInputElement);
  #note = part('seal-note', HTMLElement);
  /** The room with this key, as the form was filled. @type {{ room: string, key: string }} */
  #offered = { room: '', key: '' };
  #filled = 'none';
  #isChosen = false;

  constructor() {
    this.#choice.addEventListener('change', () => {
      this.#isChosen = true;
      this.#show();
    });
  }

  /**
   * Fills the form.
   *
   * @param {string} room
   * @param {Seal | undefined} seal
   */
  fill(room, seal) {
    const key = seal && 'key' in seal ? seal.key : newKey();
    this.#offered = { room, key };
    this.#filled = !seal ? 'none' : 'key' in seal ? 'link' : 'passphrase';
    this.#isChosen = false;
    this.#passphrase.value = seal && 'passphrase' in seal ? seal.passphrase : '';
    this.#choose(this.#filled);
  }

  /** The user has changed the room's name. @param {string} room */
  renamed(room) {
    if (!this.#isChosen) this.#choose(room === this.#offered.room ? this.#filled : 'none');
  }

  /** @param {string} room @returns {Seal | undefined} */
  read(room) {
    const { value } = this.#choice;
    if (value === 'passphrase') return { passphrase: this.#passphrase.value };
    // The key of one room is not for those in another.
    if (value === 'link') return { key: room === this.#offered.room ? this.#offered.key : newKey() };
    return undefined;
  }

  /** Why the room cannot be sealed like this; empty if it can. @param {string} room */
  problem(room) {
    return whyNoSeal(this.read(room));
  }

  /** @param {string} value */
  #choose(value) {
    this.#choice.value = value;
    this.#show();
  }

  #show() {
    const value = /** @type {keyof typeof NOTES} */ (this.#choice.value);
    const byPassphrase = value === 'passphrase';
    this.#field.hidden = !byPassphrase;
    this.#passphrase.required = byPassphrase;
    this.#note.dataset.seal = value;
    show(this.#note, value === 'none' && !canSeal() ? 'seal-not-here' : NOTES[value]);
  }
}
