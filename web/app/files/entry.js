import { show } from '../languages/document.js';
import { write } from '../page.js';
import { isolatedName } from '../names.js';
import { button, make, newId } from './elements.js';
import { nameIn, sizeIn, textOf } from './words.js';

/** @import { Transfer } from './transfer.js' */

/** A file in the list. */
export class Entry {
  #transfer;
  #text = make('p', { test: 'file-text', class: 'file-text' });
  #size = make('span', { class: 'count' });
  #progress = make('progress', { test: 'file-progress' });
  #who = make('p', { class: 'count' });
  #accept;
  #decline;
  #cancel;
  #save;
  #remove;

  /**
   * @param {Transfer} transfer
   * @param {{ save: (transfer: Transfer) => void, removed: (entry: Entry) => void }} actions
   */
  constructor(transfer, { save, removed }) {
    this.#transfer = transfer;
    const name = make('bdi', { class: 'file-name', id: newId(), test: 'file-name' });
    name.textContent = nameIn(transfer.file);
    this.#progress.setAttribute('aria-labelledby', name.id);
    this.#accept = button('file-accept', 'file-accept', () => transfer.accept(), 'small primary');
    this.#decline = button('decline', 'file-decline', () => transfer.cancel(), 'small');
    this.#cancel = button('cancel', 'file-cancel', () => transfer.cancel(), 'small');
    this.#save = button('file-save', 'file-save', () => save(transfer), 'small');
    this.#remove = button('file-remove', 'file-remove', () => removed(this), 'small');
    const buttons = [this.#accept, this.#decline, this.#cancel, this.#save, this.#remove];
    for (const one of buttons) one.setAttribute('aria-describedby', name.id);
    const line = make('p', {}, name, document.createTextNode(' '), this.#size);
    this.element = make('li', { test: 'file', class: 'file' }, line, this.#who, this.#progress, this.#text, make('div', { class: 'choices' }, ...buttons));
    this.show();
  }

  /** Shows how it is now. */
  show() {
    const { file, peer, interrupted, pace } = this.#transfer;
    const { size } = file.offer;
    this.element.dataset.state = file.state;
    this.#size.textContent = sizeIn(size);
    show(this.#who, 'source' in file ? 'file-to' : 'file-from', { name: isolatedName(peer) });
    write(this.#text, textOf(file, { peer, interrupted, pace }));
    this.#progress.max = Math.max(1, size);
    this.#progress.value = size === 0 ? Number(file.state === 'done') : file.stored;
    this.#offer({ asked: file.state === 'asked', over: file.state === 'done' || file.state === 'over' });
  }

  /** @param {{ asked: boolean, over: boolean }} state */
  #offer({ asked, over }) {
    const focused = this.element.contains(document.activeElement);
    const { file } = this.#transfer;
    this.#progress.hidden = asked || over;
    this.#accept.hidden = this.#decline.hidden = !asked;
    this.#cancel.hidden = asked || over;
    this.#save.hidden = !('blob' in file && file.blob && file.state === 'done');
    this.#remove.hidden = !over;
    // The button that was pressed may be gone.
    if (focused && document.activeElement instanceof HTMLElement && document.activeElement.hidden) this.focus();
  }

  focus() {
    for (const one of this.element.querySelectorAll('button')) if (!one.hidden) return one.focus();
  }
}
