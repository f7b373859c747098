import { label, onLanguage, show } from '../languages/document.js';
import { language, list, say } from '../languages/say.js';
import { isolatedName, plain } from '../names.js';
import { button, make, newId } from './elements.js';
import { Entry } from './entry.js';

/** @import { Key, Values } from '../languages/say.js' */
/** @import { Company } from './company.js' */
/** @import { Transfer } from './transfer.js' */

/** Chooses files and shows their progress. */
export class FilesDialog {
  #actions;
  #to = make('select', { test: 'files-to' });
  #toField;
  #choose;
  #why = make('p', { class: 'banner', id: newId(), role: 'status', test: 'files-why' });
  #problem = make('p', { class: 'banner', role: 'status', test: 'files-problem' });
  #input = make('input', { type: 'file', multiple: '', test: 'files-input' });
  #list = make('ul', { class: 'files-list', test: 'files-list' });
  /** @type {Map<Transfer, Entry>} */
  #entries = new Map();
  /** Whom the form shows, and in which language. */
  #shown = '';
  #forget;

  /** @param {{ send: (files: File[], to: string) => void, save: (transfer: Transfer) => void, company: () => Company }} actions */
  constructor(actions) {
    this.#actions = actions;
    const title = make('h2', { id: newId(), key: 'files' });
    this.#toField = make('label', { class: 'field' }, make('span', { key: 'files-to' }), this.#to);
    this.#choose = button('files-choose', 'files-choose', () => this.#input.click(), 'primary wide');
    this.#choose.setAttribute('aria-describedby', this.#why.id);
    this.#input.hidden = this.#problem.hidden = true;
    this.#input.onchange = () => this.#chosen();
    label(this.#list, 'files');
    const close = make('form', { method: 'dialog' }, make('button', { class: 'button wide', test: 'files-close', key: 'close' }));
    const about = make('p', { class: 'quiet', key: 'files-note' });
    this.element = make('dialog', { class: 'card files', test: 'files-dialog', 'aria-labelledby': title.id }, title, this.#why, this.#problem, this.#toField, this.#choose, this.#input, this.#list, about, close);
    document.body.append(this.element);
    this.#forget = onLanguage(() => this.refresh());
  }

  open() {
    if (this.element.open) return;
    this.#problem.hidden = true;
    this.element.showModal();
    this.refresh();
  }

  close() {
    this.element.close();
  }

  /**
   * Says why files that were chosen are not sent.
   *
   * @param {Key} key
   * @param {Values} values
   */
  refuse(key, values) {
    show(this.#problem, key, values);
    this.#problem.hidden = false;
  }

  /** @param {Transfer} transfer that is new */
  add(transfer) {
    const entry = new Entry(transfer, { save: this.#actions.save, removed: () => this.#remove(transfer) });
    this.#entries.set(transfer, entry);
    this.#list.prepend(entry.element);
  }

  remove() {
    this.#forget();
    this.element.remove();
  }

  /** Shows how everything is now, if anybody sees it. */
  refresh() {
    if (!this.element.open) return;
    for (const entry of this.#entries.values()) entry.show();
    const { able, unable } = this.#actions.company();
    const shown = JSON.stringify([language(), able, unable]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#choose.disabled = able.length === 0;
    const names = list(unable.map(isolatedName));
    if (unable.length > 0) show(this.#why, 'files-unable', { names });
    else show(this.#why, 'nobody-connected');
    this.#why.hidden = able.length > 0 && unable.length === 0;
    const chosen = this.#to.value;
    this.#to.replaceChildren(new Option(say('files-everybody'), ''), ...able.map((peer) => new Option(plain(isolatedName(peer)), peer.id)));
    this.#to.value = able.some(({ id }) => id === chosen) ? chosen : '';
    this.#toField.hidden = able.length < 2;
  }

  #chosen() {
    this.#problem.hidden = true;
    this.#actions.send([...(this.#input.files ?? [])], this.#toField.hidden ? '' : this.#to.value);
    // The same file can be chosen again.
    this.#input.value = '';
  }

  /** @param {Transfer} transfer */
  drop(transfer) {
    this.#entries.get(transfer)?.element.remove();
    this.#entries.delete(transfer);
  }

  /** The user has seen it. @param {Transfer} transfer */
  #remove(transfer) {
    const next = this.#entries.get(transfer)?.element.nextElementSibling;
    this.drop(transfer);
    const button = next?.querySelector('button:not([hidden])') ?? this.#choose;
    /** @type {HTMLElement} */ (button).focus();
  }
}
