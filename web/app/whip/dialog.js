import { whipRole } from '../../client/index.js';
import { onLanguage, show } from '../languages/document.js';
import { say } from '../languages/say.js';
import { nameOf } from '../names.js';
import { isLoopback } from '../reachable.js';
import { copyable, element, saying } from './elements.js';
import { addressOf, commands } from './lines.js';

/** @import { Room } from '../../client/types.d.ts' */
/** @import { Wish } from '../address.js' */

/**
 * @typedef {object} Invitation
 * @property {string} link to the room, for others
 * @property {Room} room
 * @property {Wish} wish
 */

/** What to enter in an encoder, or in a player. */
export class WhipDialog {
  #view = element('dialog', { className: 'card whip-dialog' });
  // With the focus, so that the dialog begins at its top.
  #title = element('h2', { id: 'whip-title', tabIndex: -1, autofocus: true });
  #note = element('p', { className: 'quiet' });
  #full = saying('p', 'machine-full', { className: 'banner' });
  #warning = saying('p', 'machine-local', { className: 'banner' });
  #name = element('input', { type: 'text', maxLength: 64, value: 'OBS', autocomplete: 'off', dir: 'auto' });
  #to = element('select');
  #address = copyable('whip-address');
  #token = copyable('whip-token');
  #tokenField = field('machine-token', this.#token.view);
  #forEncoders = element('div');
  #commands = element('div');
  /** @type {Invitation | null} */
  #invitation = null;
  /** @type {'whip' | 'whep'} */
  #kind = 'whip';

  /** With its styles, which no other part of the page needs. */
  static async load() {
    const styles = element('link', { rel: 'stylesheet', href: new URL('dialog.css', import.meta.url).href });
    const loaded = new Promise((resolve) => { styles.onload = styles.onerror = resolve; });
    document.head.append(styles);
    await loaded;
    return new WhipDialog();
  }

  constructor() {
    const close = saying('button', 'close', { className: 'button wide' });
    for (const [part, id] of /** @type {const} */ ([[this.#view, 'whip-dialog'], [this.#name, 'whip-name'], [this.#to, 'whip-to'], [close, 'whip-close']])) part.dataset.testid = id;
    this.#view.setAttribute('aria-labelledby', this.#title.id);
    this.#forEncoders.append(labelled('machine-name', this.#name), labelled('machine-to', this.#to));
    this.#view.append(
      this.#title, this.#note, this.#full, this.#warning, this.#forEncoders, field('machine-address', this.#address.view), this.#tokenField, this.#commands,
      element('form', { method: 'dialog' }, close),
    );
    this.#view.addEventListener('click', ({ target }) => target === this.#view && this.close());
    this.#name.oninput = this.#to.onchange = () => this.#write();
    onLanguage(() => this.#fill());
    document.body.append(this.#view);
  }

  get isOpen() {
    return this.#view.open;
  }

  /** Does the user wait for an encoder? */
  get expectsEncoder() {
    return this.#view.open && this.#kind === 'whip';
  }

  /**
   * @param {Invitation} invitation
   * @param {'whip' | 'whep'} kind
   */
  open(invitation, kind) {
    this.#invitation = invitation;
    this.#kind = kind;
    show(this.#title, kind === 'whip' ? 'add-encoder' : 'watch-in-player');
    show(this.#note, kind === 'whip' ? 'add-encoder-note' : 'watch-in-player-note');
    this.#fill();
    this.#view.showModal();
  }

  close() {
    this.#view.close();
  }

  #fill() {
    if (!this.#invitation) return;
    const { room } = this.#invitation;
    const people = [...room.peers.values()].filter((peer) => !whipRole(peer));
    this.#full.hidden = room.peers.size + 1 < room.capacity;
    const before = this.#to.value;
    this.#to.replaceChildren(new Option(say('whoever-answers'), ''), new Option(say('you'), room.self.id), ...people.map((peer) => new Option(nameOf(peer), peer.id)));
    this.#to.value = [...this.#to.options].some(({ value }) => value === before) ? before : '';
    this.#write();
  }

  #write() {
    const { link, room, wish } = /** @type {Invitation} */ (this.#invitation);
    const isEncoder = this.#kind === 'whip';
    const address = addressOf(link, wish.room, this.#kind, isEncoder ? { name: this.#name.value.trim(), to: this.#to.value } : { to: room.self.id });
    const token = wish.ticket ?? wish.secret ?? '';
    this.#warning.hidden = !isLoopback(new URL(address).hostname);
    this.#forEncoders.hidden = this.#commands.hidden = !isEncoder;
    this.#address.text.textContent = address;
    this.#token.text.textContent = token;
    this.#tokenField.hidden = token === '';
    const opened = [...this.#commands.querySelectorAll('details')].map(({ open }) => open);
    this.#commands.replaceChildren(
      saying('p', token ? 'obs-with-token' : 'obs'),
      ...commands(address, token).map(({ program, command }, at) => {
        const { view, text } = copyable(`whip-${program}`);
        text.textContent = command;
        return element('details', { open: opened[at] ?? false }, element('summary', {}, element('bdi', { textContent: program })), view);
      }),
    );
  }
}

/**
 * @param {import('../languages/say.js').Key} key
 * @param {HTMLElement} content
 */
function field(key, content) {
  return element('div', { className: 'field' }, saying('span', key), content);
}

/**
 * @param {import('../languages/say.js').Key} key
 * @param {HTMLElement} control
 */
function labelled(key, control) {
  return element('label', { className: 'field' }, saying('span', key), control);
}
