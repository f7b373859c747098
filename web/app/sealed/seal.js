import { say } from '../languages/say.js';

/**
 * What seals a room (docs/sealed.md): the key in its link, or a passphrase that people tell each other. No server gets either.
 *
 * @typedef {{ key: string } | { passphrase: string }} Seal
 */

/** 32 bytes in their one form of base64url: the last character has two bits that are not used. */
const KEY = /^[\w-]{42}[AEIMQUYcgkosw048]$/;

/** Browsers have WebCrypto on https: and on localhost only. */
export function canSeal() {
  return Boolean(globalThis.crypto?.subtle);
}

/**
 * From the fragment of a link. `#sealed=passphrase` says that there is a passphrase, which the link does not contain: without that,
 * people who open the link would come into the room unsealed.
 *
 * @param {URLSearchParams} fragment
 * @returns {Seal | undefined}
 */
export function readSeal(fragment) {
  const key = fragment.get('key');
  if (key !== null) return { key };
  return fragment.has('sealed') ? { passphrase: '' } : undefined;
}

/**
 * For the fragment of a link.
 *
 * @param {Seal | undefined} seal
 * @returns {Record<string, string>}
 */
export function writeSeal(seal) {
  if (!seal) return {};
  return 'key' in seal ? { key: seal.key } : { sealed: 'passphrase' };
}

/**
 * Why nobody can join with this; empty if they can. A room that should be sealed is never entered without.
 *
 * @param {Seal | undefined} seal
 */
export function whyNoSeal(seal) {
  if (!seal) return '';
  if ('key' in seal && !KEY.test(seal.key)) return say('key-incomplete');
  return canSeal() ? '' : say('seal-needs-https');
}

/**
 * @param {Seal | undefined} one
 * @param {Seal | undefined} other
 */
export function isSameSeal(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

/**
 * Is the room entered as this link asks? A link with a passphrase does not say which one, and a link without a key asks for nothing.
 *
 * @param {Seal | undefined} asked by the link
 * @param {Seal | undefined} used
 */
export function isAsAsked(asked, used) {
  if (!asked || isSameSeal(asked, used)) return true;
  return 'passphrase' in asked && asked.passphrase === '' && used !== undefined && 'passphrase' in used;
}
