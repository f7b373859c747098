import { subtle } from '../platform/web-crypto.js';
import { decode, encode } from './base64url.js';

const LABEL = 'signalpost/sealed/1';
const KEY_BYTES = 32;
const ITERATIONS = 600_000;

const utf8 = new TextEncoder();
/** Parts that contain no zero byte, so that no two lists have the same bytes. @param {string[]} parts */
export const joined = (...parts) => utf8.encode(parts.join('\0'));

/** What everybody in a sealed room has and the server has not. */
export class RoomKey {
  #secret;
  /** @type {Map<string, Promise<CryptoKey>>} */
  #derived = new Map();

  /** @param {Uint8Array<ArrayBuffer>} secret */
  constructor(secret) {
    this.#secret = secret;
  }

  /** From base64url without padding, as in the fragment of a link. Throws a `TypeError`. @param {string} text */
  static of(text) {
    const secret = decode(String(text));
    if (secret?.length !== KEY_BYTES) throw new TypeError('A room key is 43 characters of base64url.');
    subtle();
    return new RoomKey(secret);
  }

  /**
   * Takes a good part of a second. The same text may be typed as different code points, hence NFC (RFC 8265, section 4.2).
   *
   * @param {string} passphrase
   * @param {string} room
   */
  static async ofPassphrase(passphrase, room) {
    if (!passphrase) throw new TypeError('The passphrase is empty.');
    const typed = await subtle().importKey('raw', utf8.encode(passphrase.normalize('NFC')), 'PBKDF2', false, ['deriveBits']);
    const how = { name: 'PBKDF2', hash: 'SHA-256', salt: utf8.encode(`${LABEL}/${room}`), iterations: ITERATIONS };
    return new RoomKey(new Uint8Array(await subtle().deriveBits(how, typed, KEY_BYTES * 8)));
  }

  get text() {
    return encode(this.#secret);
  }

  /** Tells one key from another without telling anything about it. */
  async tag() {
    const digest = await subtle().digest('SHA-256', this.#secret);
    return encode(new Uint8Array(digest, 0, 6));
  }

  /**
   * The AES-GCM key for messages from one peer to another.
   *
   * @param {string} room
   * @param {string} from
   * @param {string} to empty: all
   */
  cipher(room, from, to) {
    const info = joined(room, from, to);
    const name = String.fromCharCode(...info);
    const known = this.#derived.get(name) ?? this.#derive(info, { name: 'AES-GCM', length: KEY_BYTES * 8 });
    this.#derived.set(name, known);
    return known;
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} info
   * @param {AesKeyGenParams} use
   */
  async #derive(info, use) {
    const secret = await subtle().importKey('raw', this.#secret, 'HKDF', false, ['deriveKey']);
    const how = { name: 'HKDF', hash: 'SHA-256', salt: utf8.encode(LABEL), info };
    return subtle().deriveKey(how, secret, use, false, ['encrypt', 'decrypt']);
  }
}

/** A key for a sealed room, as text. */
export function newKey() {
  return encode(crypto.getRandomValues(new Uint8Array(KEY_BYTES)));
}
