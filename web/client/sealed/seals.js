import { open, randomNonce, seal } from './envelope.js';
import { Replays, Unusable } from './replays.js';

/** @import { RoomKey } from './room-key.js' */
/** @import { Message, Relayed } from '../types.d.ts' */

/**
 * The member of each type that is sealed, and whether within an object, because the server takes no string there
 * (docs/sealed.md).
 *
 * @type {Record<string, { field: string, within: boolean, fits: (value: unknown) => boolean }>}
 */
export const FIELDS = {
  offer: { field: 'sdp', within: false, fits: isText },
  answer: { field: 'sdp', within: false, fits: isText },
  candidate: { field: 'candidate', within: true, fits: (value) => value === null || isObject(value) },
  bye: { field: 'reason', within: false, fits: (value) => value === null || isText(value) },
  data: { field: 'data', within: true, fits: () => true },
};

/** Seals and opens the messages of one member, for as long as its page lives. */
export class Seals {
  #key;
  #room;
  #epoch;
  #nonce;
  /** Numbers given so far, by receiver. @type {Map<string, number>} */
  #numbers = new Map();
  #replays = new Replays();

  /**
   * @param {RoomKey} key
   * @param {string} room
   * @param {{ epoch?: string, nonce?: () => Uint8Array<ArrayBuffer> }} [fixed] for tests
   */
  constructor(key, room, { epoch = newEpoch(), nonce = randomNonce } = {}) {
    this.#key = key;
    this.#room = room;
    this.#epoch = epoch;
    this.#nonce = nonce;
  }

  /**
   * Rejects with a `TypeError` if the message has members that would not be sealed.
   *
   * @param {string} self
   * @param {string | null} receiver
   * @param {Message} message
   * @returns {Promise<Message>}
   */
  async seal(self, receiver, message) {
    const { type } = message;
    const { field, within } = fieldOf(type);
    const others = Object.keys(message).filter((name) => name !== 'type' && name !== field);
    if (others.length > 0) throw new TypeError(`In a sealed room, ${type} has only ${field}, not ${others.join(', ')}.`);
    const to = (receiver ?? '').toLowerCase();
    const n = (this.#numbers.get(to) ?? 0) + 1;
    this.#numbers.set(to, n);
    const address = { room: this.#room, type, from: self.toLowerCase(), to };
    const v = /** @type {Record<string, unknown>} */ (message)[field] ?? null;
    const sealed = await seal(this.#key, address, { e: this.#epoch, n, v }, this.#nonce());
    return /** @type {Message} */ ({ type, [field]: within ? { sealed } : sealed });
  }

  /**
   * The message as its sender sealed it. Rejects with {@link Unusable}.
   *
   * @param {string} self
   * @param {Relayed} message
   * @returns {Promise<Relayed>}
   */
  async open(self, message) {
    const { seq, type } = message;
    const { field, within, fits } = fieldOf(type);
    const value = /** @type {Record<string, any>} */ (message)[field];
    const [from, me] = [message.from.toLowerCase(), self.toLowerCase()];
    if (from === me) throw new Unusable('repeated');
    const addresses = [me, ''].map((to) => ({ room: this.#room, type, from, to }));
    const { address, content } = await open(this.#key, addresses, within ? value?.sealed : value);
    this.#replays.check(from, address.to, content.e, content.n);
    if (!fits(content.v)) throw new Unusable('malformed');
    const shown = type === 'bye' && content.v === null ? {} : { [field]: content.v };
    return /** @type {Relayed} */ ({ seq, from: message.from, type, ...shown });
  }

  /**
   * The `metadata` of a join. The server gives out ids after that, so a card is for no peer in particular.
   *
   * @param {{ name?: string, metadata?: unknown }} card
   */
  async sealCard({ name = '', metadata = {} }) {
    if (!isName(name)) throw new TypeError('A name has at most 64 characters, and no control characters.');
    const sealed = await seal(this.#key, this.#cards, { e: this.#epoch, n: 1, v: { name, metadata } }, this.#nonce());
    return { sealed };
  }

  /**
   * Rejects with {@link Unusable}.
   *
   * @param {unknown} metadata
   * @returns {Promise<{ name: string, metadata: unknown }>}
   */
  async openCard(metadata) {
    const { sealed } = /** @type {{ sealed?: unknown }} */ (metadata ?? {});
    const { content } = await open(this.#key, [this.#cards], sealed);
    const card = /** @type {{ name?: unknown, metadata?: unknown } | null} */ (content.v);
    if (!isName(card?.name)) throw new Unusable('malformed');
    const opened = /** @type {{ name: string, metadata?: unknown }} */ (card);
    return { name: opened.name, metadata: opened.metadata === undefined ? {} : opened.metadata };
  }

  get #cards() {
    return { room: this.#room, type: 'card', from: '', to: '' };
  }
}

/** @param {string} type */
function fieldOf(type) {
  if (!Object.hasOwn(FIELDS, type)) throw new TypeError(`There is no message of type ${type}.`);
  return FIELDS[type];
}

function newEpoch() {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** As the server checks names that it can read. @param {unknown} value */
function isName(value) {
  return typeof value === 'string' && [...value].length <= 64 && !/\p{Cc}/u.test(value);
}

/** @param {unknown} value */
function isText(value) {
  return typeof value === 'string';
}

/** @param {unknown} value */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
