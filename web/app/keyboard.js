import { tabStorage } from '../client/index.js';
import { BASE } from './base.js';
import { part } from './page.js';
import { shortcutOf } from './shortcuts.js';

/** @import { Action } from './shortcuts.js' */

const KEY = `signalpost:shortcuts:${BASE}`;

/** Shortcuts of single keys in the call. They can be switched off: who dictates, or types with a tremor, would press them by accident. */
export class Keyboard {
  #dialog = part('keys-dialog', HTMLDialogElement);
  #enabled = part('keys-enabled', HTMLInputElement);

  /**
   * @param {Record<Exclude<Action, 'help'>, () => void>} actions called in a call only
   * @param {() => void} silence the key to talk is not held any more
   */
  constructor(actions, silence) {
    this.#enabled.checked = tabStorage.getItem(KEY) !== 'off';
    this.#enabled.addEventListener('change', () => tabStorage.setItem(KEY, this.#enabled.checked ? 'on' : 'off'));
    this.#whenReleased(silence);
    document.addEventListener('keydown', (event) => {
      if (part('call', HTMLElement).hidden || event.defaultPrevented || isTaken(event.target)) return;
      const action = shortcutOf(event);
      if (action === 'help') this.#dialog.showModal();
      else if (action && this.#enabled.checked) actions[action]();
      else return;
      event.preventDefault();
    });
  }

  /** @param {() => void} silence */
  #whenReleased(silence) {
    // macOS reports no `keyup` for a key that is released while Command is held.
    document.addEventListener('keyup', (event) => (event.key === 'Meta' || shortcutOf(plainKey(event)) === 'talk') && silence());
    window.addEventListener('blur', silence);
    window.addEventListener('pagehide', silence);
  }

  close() {
    this.#dialog.close();
  }
}

/** Modifiers may have been pressed since. @param {KeyboardEvent} event */
function plainKey({ key, code }) {
  return { key, code, ctrlKey: false, altKey: false, metaKey: false, repeat: false };
}

/** Keys belong to text fields, and to dialogs and questions. @param {EventTarget | null} target */
function isTaken(target) {
  const field = target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
  return field || document.querySelector('dialog[open]') !== null || (target instanceof Element && target.closest('[role="alertdialog"]') !== null);
}
