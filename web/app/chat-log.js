import { linksIn } from './chat/links.js';
import { show } from './languages/document.js';
import { copyOf, inside, write } from './page.js';

/** @import { Key, Values } from './languages/say.js' */

/**
 * @typedef {object} Entry
 * @property {string} who
 * @property {string} text
 * @property {'mine' | 'theirs' | 'note'} kind
 * @property {{ key: Key, values: Values }} [said] what a note says, in whatever language
 */

const MAX_ENTRIES = 500;
/** A message of the size that a channel can carry would fill the page. The input field takes half of this. */
const MAX_CHARACTERS = 8_000;
/** A hidden page gets no animation frames. */
const HIDDEN_MS = 250;
/** Within this many pixels of its end the log counts as scrolled to the end. */
const NEAR_PX = 8;

/**
 * The chat. Entries wait for the next frame and are shown together, so that a thousand of them cost one layout instead of
 * seconds of work. The oldest are removed.
 */
export class ChatLog {
  #list;
  #view;
  /** @type {Entry[]} */
  #waiting = [];
  #due = false;
  #dropped = false;
  /** The end is in view, and stays so: a user who has scrolled up stays there. */
  #follows = true;
  /** The size of the log that this is about. */
  #size = '';

  /** @param {HTMLElement} list in the element that scrolls */
  constructor(list) {
    this.#list = list;
    const view = /** @type {HTMLElement} */ (list.parentElement);
    this.#view = view;
    const size = () => `${view.clientWidth} ${view.clientHeight} ${view.scrollHeight}`;
    view.addEventListener('scroll', () => {
      // In a log of another size, the browser has scrolled and not the user.
      if (size() === this.#size) this.#follows = view.scrollHeight - view.scrollTop - view.clientHeight <= NEAR_PX;
    });
    // A phone that is turned, or its keyboard, would cover the newest; and so would a language with longer words.
    const sizes = new ResizeObserver(() => {
      this.#size = size();
      if (this.#follows) this.#toEnd();
    });
    for (const element of [view, list]) sizes.observe(element);
  }

  /** @param {Entry} entry */
  add(entry) {
    this.#waiting.push(entry);
    if (this.#waiting.length > MAX_ENTRIES) {
      this.#waiting.shift();
      this.#dropped = true;
    }
    if (this.#due) return;
    this.#due = true;
    if (document.hidden) setTimeout(() => this.#show(), HIDDEN_MS);
    else requestAnimationFrame(() => this.#show());
  }

  clear() {
    this.#waiting = [];
    this.#dropped = false;
    this.#list.replaceChildren();
  }

  #show() {
    this.#due = false;
    const entries = this.#waiting.splice(0);
    // Who sends a message sees it.
    this.#follows ||= entries.some(({ kind }) => kind === 'mine');
    this.#list.append(...entries.map(made));
    this.#trim();
    if (this.#follows) this.#toEnd();
  }

  #toEnd() {
    this.#view.scrollTop = this.#view.scrollHeight;
  }

  #trim() {
    const list = this.#list;
    const told = list.firstElementChild?.classList.contains('dropped') ? 1 : 0;
    const surplus = list.childElementCount - told - MAX_ENTRIES;
    if (surplus <= 0 && !this.#dropped) return;
    for (const old of [...list.children].slice(told, told + Math.max(0, surplus))) old.remove();
    this.#dropped = false;
    if (told === 0) list.prepend(older());
  }
}

/** @param {Entry} entry */
function made({ who, text, kind, said }) {
  const entry = copyOf('chat-entry');
  entry.dataset.kind = kind;
  if (kind === 'mine') show(inside(entry, 'who'), 'you');
  else inside(entry, 'who').textContent = who;
  const shown = text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text;
  if (said) show(inside(entry, 'text'), said.key, said.values);
  else if (kind === 'note') write(inside(entry, 'text'), shown);
  else inside(entry, 'text').append(...linksIn(shown).map(({ text, href }) => (href ? linkTo(href) : text)));
  return entry;
}

/** @param {string} href http or https */
function linkTo(href) {
  const link = document.createElement('a');
  link.href = href;
  // As it was written.
  link.textContent = href;
  link.target = '_blank';
  link.rel = 'noopener noreferrer';
  return link;
}

function older() {
  const note = document.createElement('li');
  note.className = 'dropped';
  show(note, 'last-messages', { count: MAX_ENTRIES });
  return note;
}
