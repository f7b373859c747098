import { say } from './languages/say.js';
import { decode, encode } from './punycode.js';

/** The letters of proquints (arXiv:0901.4016): four bits in each consonant, two in each vowel. */
const CONSONANTS = 'bdfghjklmnprstvz';
const VOWELS = 'aiou';
/** Of 16 bits each, so that nobody finds a room by trying names. */
const WORDS = 8;

/**
 * A room name with 128 random bits, which can be read aloud: `lusab-babad-gutih-tugad-…`.
 *
 * @param {Uint16Array} [random]
 */
export function suggestRoomName(random = crypto.getRandomValues(new Uint16Array(WORDS))) {
  return Array.from(random, toProquint).join('-');
}

/** @param {number} bits 16 of them */
function toProquint(bits) {
  const consonant = (/** @type {number} */ shift) => CONSONANTS[(bits >> shift) & 15];
  const vowel = (/** @type {number} */ shift) => VOWELS[(bits >> shift) & 3];
  return consonant(12) + vowel(10) + consonant(6) + vowel(4) + consonant(0);
}

/** The API's limit for the length of a room name. */
const MAX_LENGTH = 64;
/** Marks Punycode in internationalized domain names (RFC 5890, section 2.3.2.1). */
const PREFIX = 'xn--';

/**
 * The canonical name of a room: `Tea`, `tea` and `ｔｅａ` are `tea`, `Straße` is `strasse`, and `会議` stays as it is. Empty
 * if nothing is left. docs/page.md has the rules.
 *
 * @param {string} typed
 */
export function toRoomName(typed) {
  const name = reduce(typed);
  // The API's name for a room leads to the same room.
  const decoded = name.startsWith(PREFIX) ? decode(name.slice(PREFIX.length)) : null;
  return decoded !== null && reduce(decoded) === decoded && toApiName(decoded) === name ? decoded : name;
}

/**
 * The API's name for a room: the name itself if it is ASCII, otherwise Punycode. Different names stay different.
 *
 * @param {string} name from {@link toRoomName}
 */
export function toApiName(name) {
  return isAscii(name) && !name.startsWith(PREFIX) ? name : PREFIX + encode(name);
}

/**
 * The inverse of {@link toApiName}.
 *
 * @param {string} apiName
 */
export function fromApiName(apiName) {
  return apiName.startsWith(PREFIX) ? decode(apiName.slice(PREFIX.length)) ?? apiName : apiName;
}

/**
 * Why a room cannot have this name; empty if it can.
 *
 * @param {string} typed
 */
export function whyNoRoomName(typed) {
  const name = toRoomName(typed);
  if (name === '') return say('name-empty');
  const length = toApiName(name).length;
  if (length <= MAX_LENGTH) return '';
  return say(isAscii(name) ? 'name-too-long' : 'name-too-long-encoded', { length, limit: MAX_LENGTH });
}

/** @param {string} text */
function isAscii(text) {
  return /^[\x00-\x7f]*$/.test(text);
}

/** @param {string} typed */
function reduce(typed) {
  // Word processors and phones replace hyphens by dashes.
  const joined = fold(typed).trim().replace(/\s+|[\p{Pd}\u2212]/gu, '-');
  // Marks need a letter before them.
  const name = joined.replace(/[^\p{L}\p{M}\p{N}\p{So}._~-]/gu, '').replace(/^\p{M}+/u, '');
  // As path segments these two would be removed (RFC 3986, section 5.2.4).
  return name === '.' || name === '..' ? '' : again(name, typed);
}

/**
 * Removing characters can bring others together that compose, so repeat until nothing changes.
 *
 * @param {string} name
 * @param {string} from
 * @returns {string}
 */
function again(name, from) {
  return name === from ? name : reduce(name);
}

/**
 * Compatibility composition and case folding without ignorable characters, as for identifiers (UAX 31, NFKC_Casefold).
 * Converting to upper case first makes `ß` two letters and `ς` equal to `σ`. Beyond the standard, the four letters i of
 * Turkish are one, whatever the browser's language, so that `ISPARTA` and `ısparta` are the same room.
 *
 * @param {string} text
 */
function fold(text) {
  const visible = text.normalize('NFKC').replace(/\p{Default_Ignorable_Code_Point}/gu, '');
  const cased = Array.from(visible.toLowerCase().toUpperCase(), (character) => character.toLowerCase()).join('');
  return cased.replace(/i\u0307/g, 'i').normalize('NFKC');
}
