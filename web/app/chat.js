import { History } from './chat/history.js';
import { Unread } from './chat/unread.js';
import { ChatLog } from './chat-log.js';
import { onLanguage } from './languages/document.js';
import { say } from './languages/say.js';
import { nameOf } from './names.js';
import { part } from './page.js';
import { play } from './sounds.js';

/** @import { Call } from '../client/types.d.ts' */
/** @import { Entry } from './chat-log.js' */
/** @import { Key, Values } from './languages/say.js' */

/** Text over the data channels, to all connected peers. */
export class Chat {
  #log = new ChatLog(part('chat-log', HTMLOListElement));
  #history = new History();
  #unread = new Unread();
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
    onLanguage(() => this.#enable());
    window.addEventListener('pagehide', () => this.#history.save());
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#say(this.#input.value.trim());
    });
  }

  /** Shows what was said before a reload. @param {string} room */
  open(room) {
    for (const entry of this.#history.open(room)) this.#log.add(entry);
  }

  /** The call is over: a later one begins without what was said. */
  forget() {
    this.#history.forget();
    this.#unread.clear();
  }

  /** @param {string} title of the page */
  name(title) {
    this.#unread.name(title);
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
      const text = textOf(/** @type {string | ArrayBuffer} */ (data));
      if (text === null) return;
      this.#add({ who: nameOf(peer), text, kind: 'theirs' });
      if (this.#unread.add()) play('message');
    });
  }

  /**
   * Adds a note about an event in the room, which follows when the language changes.
   *
   * @param {Key} key
   * @param {Values} values
   */
  note(key, values) {
    this.#add({ who: '', text: say(key, values), kind: 'note', said: { key, values } });
  }

  /** Adds a note that stays as it is written. @param {string} text */
  remark(text) {
    this.#add({ who: '', text, kind: 'note' });
  }

  /** Adds one that somebody should hear of. @param {string} text */
  alert(text) {
    this.remark(text);
    if (this.#unread.add()) play('message');
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
    if (text === '' || !this.#call) return;
    const wanted = this.#reached.size;
    const taken = this.#call.say(text);
    if (taken > 0) {
      this.#add({ who: say('you'), text, kind: 'mine' });
      this.#input.value = '';
    }
    if (taken < wanted) this.note(taken > 0 ? 'not-all-sent' : 'not-sent', {});
  }

  /** @param {Entry} entry */
  #add(entry) {
    this.#log.add(entry);
    this.#history.add(entry);
  }

  #enable() {
    const open = this.#reached.size > 0 && !this.#end;
    this.#input.disabled = !open;
    this.#send.disabled = !open;
    this.#input.placeholder = this.#end || say(open ? 'write-message' : 'nobody-connected');
  }
}

/**
 * Some programs send text as bytes. Null if these are something else, such as measurements.
 *
 * @param {string | ArrayBuffer} data
 */
function textOf(data) {
  if (typeof data === 'string') return data;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(data);
    return /(?![\t\n\r])\p{Cc}/u.test(text) ? null : text;
  } catch {
    return null;
  }
}
