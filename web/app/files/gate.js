import { learnMore } from '../languages/document.js';
import { part } from '../page.js';

/** @import { Call, Peer } from '../../client/types.d.ts' */
/** @import { Chat } from '../chat.js' */
/** @import { Session } from './session.js' */

/** Messages that wait while the rest is loaded; a peer that sends more without an answer means no good. */
const MOST_WAITING = 100;

/** What a call needs before anybody uses files: it keeps the channels, and loads the rest with the first message, click or drop. */
export class Files {
  #chat;
  /** By peer id. @type {Map<string, { peer: Peer, channel: RTCDataChannel, waiting: MessageEvent[] }>} */
  #channels = new Map();
  /** @type {Call | null} */
  #call = null;
  /** @type {Promise<Session | null> | null} */
  #session = null;
  /** @type {Session | null} */
  #loaded = null;

  /** @param {Pick<Chat, 'note' | 'remark' | 'alert'>} chat */
  constructor(chat) {
    this.#chat = chat;
    part('files', HTMLElement).addEventListener('click', () => void this.#with((session) => session.open()));
    for (const name of /** @type {const} */ (['dragover', 'dragleave', 'drop'])) document.addEventListener(name, (event) => this.#dragged(event));
  }

  /** @param {Call} call */
  follow(call) {
    this.#call = call;
    part('files', HTMLElement).hidden = false;
    call.on('data-channel', ({ peer, channel }) => {
      /** @type {MessageEvent[]} */
      const waiting = [];
      this.#channels.set(peer.id, { peer, channel, waiting });
      if (this.#loaded) return this.#loaded.attach(peer, channel);
      channel.onmessage = (event) => {
        if (waiting.push(event) > MOST_WAITING) return channel.close();
        void this.#with(() => {});
      };
    });
    call.on('link', ({ peer, state }) => state === 'closed' && this.#channels.delete(peer.id));
  }

  /** Closes the dialog. */
  close() {
    this.#loaded?.closeDialog();
  }

  /** The call is over. */
  clear() {
    this.#loaded?.close();
    this.#call = this.#session = this.#loaded = null;
    this.#channels.clear();
    part('files', HTMLElement).hidden = true;
    delete document.body.dataset.drop;
  }

  /** @param {(session: Session) => void} action */
  async #with(action) {
    const call = this.#call;
    if (!call) return;
    const session = await (this.#session ??= this.#load(call));
    if (session && call === this.#call) action(session);
  }

  /** Null if that fails; what waits is tried again with the next message, click or drop. @param {Call} call */
  async #load(call) {
    try {
      const [{ Session }] = await Promise.all([import('./session.js'), learnMore('files/'), style()]);
      if (call !== this.#call) return null;
      this.#loaded = new Session(call, this.#chat);
    } catch {
      if (call !== this.#call) return null;
      this.#session = null;
      this.#chat.note('not-loaded', {});
      return null;
    }
    for (const { peer, channel, waiting } of this.#channels.values()) {
      this.#loaded.attach(peer, channel);
      for (const message of waiting.splice(0)) channel.onmessage?.(message);
    }
    return this.#loaded;
  }

  /** Files that are dragged over the call are meant for it: the browser would leave the page to show them. @param {DragEvent} event */
  #dragged(event) {
    if (!this.#call || !event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    const tile = event.target instanceof Element ? event.target.closest('[data-peer]') : null;
    for (const one of document.querySelectorAll('[data-drop]')) one.removeAttribute('data-drop');
    if (event.type === 'dragover') return (tile ?? document.body).setAttribute('data-drop', '');
    if (event.type !== 'drop') return;
    // Both are emptied after the event.
    const isFolder = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()?.isDirectory === true);
    const files = [...event.dataTransfer.files].filter((_, at) => !isFolder[at]);
    const to = tile?.getAttribute('data-peer') ?? '';
    void this.#with((session) => {
      if (isFolder.includes(true)) session.refuseFolders();
      if (files.length > 0) session.send(files, to);
    });
  }
}

/** @returns {Promise<void>} */
function style() {
  const href = new URL('../files.css', import.meta.url).href;
  if (document.querySelector(`link[href="${href}"]`)) return Promise.resolve();
  const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href });
  return new Promise((resolve, reject) => {
    link.onload = () => resolve();
    link.onerror = () => (link.remove(), reject(new Error('files.css did not load.')));
    document.head.append(link);
  });
}
