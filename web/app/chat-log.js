import { copyOf, inside, write } from './page.js';

/**
 * @typedef {object} Entry
 * @property {string} who
 * @property {string} text
 * @property {'mine' | 'theirs' | 'note'} kind
 */

const MOST_ENTRIES = 500;
/** As much as a channel carries in one message would be a page of its own. The input field takes half of this. */
const MOST_CHARACTERS = 8_000;
/** A page that nobody sees is given no animation frames. */
const UNSEEN_MS = 250;
/** So near its end, in pixels, the log counts as read to the end. */
const NEARLY = 8;

/**
 * What was said. Entries wait for the next frame and are shown together, so that a thousand of them cost one layout;
 * one by one they kept the page busy for seconds. The oldest go.
 */
export class ChatLog {
  #list;
  /** @type {Entry[]} */
  #waiting = [];
  #due = false;
  #dropped = false;

  /** @param {HTMLElement} list */
  constructor(list) {
    this.#list = list;
  }

  /** @param {Entry} entry */
  add(entry) {
    this.#waiting.push(entry);
    if (this.#waiting.length > MOST_ENTRIES) {
      this.#waiting.shift();
      this.#dropped = true;
    }
    if (this.#due) return;
    this.#due = true;
    if (document.hidden) setTimeout(() => this.#show(), UNSEEN_MS);
    else requestAnimationFrame(() => this.#show());
  }

  clear() {
    this.#waiting = [];
    this.#dropped = false;
    this.#list.replaceChildren();
  }

  #show() {
    this.#due = false;
    const list = this.#list;
    const entries = this.#waiting.splice(0);
    // Whoever reads further up stays there, unless it is to see what they say themselves.
    const follows = list.scrollHeight - list.scrollTop - list.clientHeight <= NEARLY || entries.some(({ kind }) => kind === 'mine');
    list.append(...entries.map(made));
    this.#trim();
    if (follows) list.scrollTop = list.scrollHeight;
  }

  #trim() {
    const list = this.#list;
    const told = list.firstElementChild?.classList.contains('dropped') ? 1 : 0;
    const surplus = list.childElementCount - told - MOST_ENTRIES;
    if (surplus <= 0 && !this.#dropped) return;
    for (const old of [...list.children].slice(told, told + Math.max(0, surplus))) old.remove();
    this.#dropped = false;
    if (told === 0) list.prepend(older());
  }
}

/** @param {Entry} entry */
function made({ who, text, kind }) {
  const entry = copyOf('chat-entry');
  entry.dataset.kind = kind;
  inside(entry, 'who').textContent = who;
  const shown = text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
  if (kind === 'note') write(inside(entry, 'text'), shown);
  else inside(entry, 'text').textContent = shown;
  return entry;
}

function older() {
  const note = document.createElement('li');
  note.className = 'dropped';
  note.textContent = `Only the last ${MOST_ENTRIES} messages are kept.`;
  return note;
}
