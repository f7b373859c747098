import { tabStorage } from '../../client/index.js';
import { BASE } from '../base.js';
import { isKey } from '../languages/say.js';

/** @import { Entry } from '../chat-log.js' */

const KEY = `signalpost:chat:${BASE}`;
const MAX_ENTRIES = 200;
/** The tab's storage is small, and takes no more than five million. */
const MAX_CHARACTERS = 400_000;
/** @type {readonly unknown[]} */
const KINDS = ['mine', 'theirs', 'note'];

/** The last messages of a room. The tab keeps them over a reload. */
export class History {
  #storage;
  /** @type {Entry[]} */
  #entries = [];
  #room = '';

  /** @param {Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>} [storage] */
  constructor(storage = tabStorage) {
    this.#storage = storage;
  }

  /** What was said in this room before the page was reloaded. @param {string} room */
  open(room) {
    this.#room = room;
    this.#entries = this.#read();
    return [...this.#entries];
  }

  /** @param {Entry} entry */
  add(entry) {
    this.#entries.push(entry);
    if (this.#entries.length > MAX_ENTRIES) this.#entries.shift();
  }

  /** The page is being left. */
  save() {
    if (!this.#room) return;
    let characters = 0;
    const kept = this.#entries.filter(Boolean).reverse().filter(({ text }) => (characters += text.length) <= MAX_CHARACTERS).reverse();
    this.#storage.setItem(KEY, JSON.stringify({ room: this.#room, entries: kept }));
  }

  forget() {
    this.#room = '';
    this.#entries = [];
    this.#storage.removeItem(KEY);
  }

  /** @returns {Entry[]} */
  #read() {
    try {
      const { room, entries } = JSON.parse(this.#storage.getItem(KEY) ?? '{}');
      if (room !== this.#room || !Array.isArray(entries)) return [];
      return entries.filter((one) => typeof one?.who === 'string' && typeof one.text === 'string' && KINDS.includes(one.kind)).map(readable);
    } catch {
      return [];
    }
  }
}

/** An entry without a note's message if that is none. @param {Entry} entry @returns {Entry} */
function readable({ who, text, kind, said }) {
  const values = Object.values(said?.values ?? {});
  const isMessage = kind === 'note' && said && isKey(said.key) && values.every((value) => typeof value === 'string' || typeof value === 'number');
  return { who, text, kind, ...(isMessage && { said: { key: said.key, values: said.values ?? {} } }) };
}
