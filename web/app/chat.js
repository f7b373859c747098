import { copyOf, inside, part } from './page.js';
import { nameOf } from './visit.js';

/** @import { Call } from '../client/types.d.ts' */

/** Text over the data channels: it goes to those who are connected, and nowhere else. */
export class Chat {
  #log = part('chat-log', HTMLOListElement);
  #form = part('chat-form', HTMLFormElement);
  #input = part('chat-input', HTMLInputElement);
  #send = part('chat-send', HTMLButtonElement);
  /** @type {Call | null} */
  #call = null;
  /** Ids of those whom a message reaches. @type {Set<string>} */
  #reached = new Set();

  constructor() {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#say(this.#input.value.trim());
    });
  }

  /** @param {Call} call */
  follow(call) {
    this.#call = call;
    call.on('channel', ({ peer, open }) => {
      if (open) this.#reached.add(peer.id);
      else this.#reached.delete(peer.id);
      this.#enable();
    });
    call.on('data', ({ peer, data }) => {
      if (typeof data === 'string') this.#add(nameOf(peer), data, 'theirs');
    });
  }

  /** Something that happened in the room, between what was said. @param {string} text */
  note(text) {
    this.#add('', text, 'note');
  }

  clear() {
    this.#call = null;
    this.#reached.clear();
    this.#log.replaceChildren();
    this.#enable();
  }

  /** @param {string} text */
  #say(text) {
    if (text === '' || !this.#call?.say(text)) return;
    this.#add('You', text, 'mine');
    this.#input.value = '';
  }

  /**
   * @param {string} who
   * @param {string} text
   * @param {'mine' | 'theirs' | 'note'} kind
   */
  #add(who, text, kind) {
    const entry = copyOf('chat-entry');
    entry.dataset.kind = kind;
    inside(entry, 'who').textContent = who;
    inside(entry, 'text').textContent = text;
    this.#log.append(entry);
    this.#log.scrollTop = this.#log.scrollHeight;
  }

  #enable() {
    const open = this.#reached.size > 0;
    this.#input.disabled = !open;
    this.#send.disabled = !open;
    this.#input.placeholder = open ? 'Write a message' : 'Nobody is connected yet';
  }
}
