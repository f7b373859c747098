import { subtle } from '../platform/web-crypto.js';
import { decode, encode } from './base64url.js';
import { Unusable } from './replays.js';
import { joined } from './room-key.js';

/** @import { RoomKey } from './room-key.js' */

/** As AES-GCM recommends (NIST SP 800-38D, section 8.2), and the length of its tag. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * What is sealed: `e` names the life of the sender's page, `n` counts its messages to one receiver.
 *
 * @typedef {{ e: string, n: number, v: unknown }} Content
 *
 * @typedef {object} Address
 * @property {string} room
 * @property {string} type of message, or `card`
 * @property {string} from
 * @property {string} to empty: all
 */

/** @returns {Uint8Array<ArrayBuffer>} */
export const randomNonce = () => crypto.getRandomValues(new Uint8Array(NONCE_BYTES));

/**
 * @param {RoomKey} key
 * @param {Address} address
 * @param {Content} content
 * @param {Uint8Array<ArrayBuffer>} nonce never used before
 */
export async function seal(key, { room, type, from, to }, content, nonce) {
  const cipher = await key.cipher(room, from, to);
  const plain = new TextEncoder().encode(JSON.stringify(content, strict));
  const how = { name: 'AES-GCM', iv: nonce, additionalData: joined(type, from, to) };
  const rest = new Uint8Array(await subtle().encrypt(how, cipher, plain));
  const bytes = new Uint8Array(nonce.length + rest.length);
  bytes.set(nonce);
  bytes.set(rest, nonce.length);
  return `1.${encode(bytes)}`;
}

/**
 * Throws {@link Unusable} unless it was sealed for one of these addresses.
 *
 * @param {RoomKey} key
 * @param {Address[]} addresses
 * @param {unknown} sealed
 * @returns {Promise<{ address: Address, content: Content }>}
 */
export async function open(key, addresses, sealed) {
  if (typeof sealed !== 'string' || !/^[0-9]+\./.test(sealed)) throw new Unusable('unsealed');
  const bytes = sealed.startsWith('1.') ? decode(sealed.slice(2)) : null;
  if (!bytes || bytes.length < NONCE_BYTES + TAG_BYTES) throw new Unusable('unreadable');
  const [nonce, rest] = [bytes.slice(0, NONCE_BYTES), bytes.slice(NONCE_BYTES)];
  for (const address of addresses) {
    const { room, type, from, to } = address;
    const how = { name: 'AES-GCM', iv: nonce, additionalData: joined(type, from, to) };
    const cipher = await key.cipher(room, from, to);
    const plain = await subtle().decrypt(how, cipher, rest).catch(() => null);
    if (plain) return { address, content: parsed(plain) };
  }
  throw new Unusable('unreadable');
}

/**
 * Throws on what strict parsers of JSON refuse: lone surrogates and numbers out of range (RFC 8259, sections 6 and 8.2). The
 * server refuses them in messages that it can read.
 *
 * @param {string} name
 * @param {unknown} value
 */
function strict(name, value) {
  const wrong = /\p{Cs}/u.test(name) || (typeof value === 'string' ? /\p{Cs}/u.test(value) : typeof value === 'number' && !Number.isFinite(value));
  if (wrong) throw new TypeError('Not every parser of JSON could read this: a lone surrogate, or a number that is not finite.');
  return value;
}

/** @param {ArrayBuffer} plain @returns {Content} */
function parsed(plain) {
  let content;
  try {
    content = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(plain), strict);
  } catch {
    throw new Unusable('malformed');
  }
  const { e, n } = content ?? {};
  const valid = typeof e === 'string' && /^[0-9a-f]{16}$/.test(e) && Number.isSafeInteger(n) && n > 0 && 'v' in content;
  if (!valid) throw new Unusable('malformed');
  return content;
}
