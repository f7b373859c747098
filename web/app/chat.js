import { ChatLog } from './chat-log.js';
import { nameOf } from './names.js';
import { part } from './page.js';

/** @import { Call } from '../client/types.d.ts' */

/** Text over the data channels, to all connected peers. */
export class Chat {
  #log = new ChatLog(part('chat-log', HTMLOListElement));
  #form = part('chat-form', HTMLFormElement);
  #input = part('chat-input', HTMLInputElement);
  #send = part('chat-send', HTMLButtonElement);
  /** @type {Call | null} */
  #call = null;
  /** Ids of the peers that a message reaches. @type {Set<string>} */
  #reached = new Set();
  /** Why the call has ended. */
  #end = '';

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
      if (typeof data === 'string') this.#log.add({ who: nameOf(peer), text: data, kind: 'theirs' });
    });
  }

  /** Adds a note about an event in the room. @param {string} text */
  note(text) {
    this.#log.add({ who: '', text, kind: 'note' });
  }

  focus() {
    this.#input.focus();
  }

  /** The call is over, unless this is empty. @param {string} why */
  end(why) {
    if (why === this.#end) return;
    this.#end = why;
    this.#enable();
  }

  clear() {
    this.#end = '';
    this.#call = null;
    this.#reached.clear();
    this.#log.clear();
    this.#enable();
  }

  /** @param {string} text */
  #say(text) {
    if (text === '' || !this.#call?.say(text)) return;
    this.#log.add({ who: 'You', text, kind: 'mine' });
    this.#input.value = '';
  }

  #enable() {
    const open = this.#reached.size > 0 && !this.#end;
    this.#input.disabled = !open;
    this.#send.disabled = !open;
    this.#input.placeholder = this.#end || (open ? 'Write a message' : 'Nobody is connected yet');
  }
}
