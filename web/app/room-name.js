import { decode, encode } from './punycode.js';

const FIRST = ['amber', 'brave', 'calm', 'clear', 'early', 'fresh', 'gentle', 'green', 'happy', 'kind', 'lucky'];
const SECOND = ['apple', 'beech', 'cedar', 'daisy', 'elm', 'fern', 'hazel', 'ivy', 'lemon', 'maple', 'olive', 'poppy'];
const THIRD = ['bridge', 'brook', 'coast', 'field', 'garden', 'hill', 'lake', 'meadow', 'path', 'river', 'shore'];
/** No vowels and nothing that looks like something else: no words, no mistakes in reading aloud. */
const TAIL = 'bcdfghjkmnpqrstvwxz23456789';

/**
 * A name for a room that can be read aloud, and that nobody else is going to hit upon.
 *
 * @param {(below: number) => number} [pick] a whole number below that one
 */
export function suggestRoomName(pick = pickRandom) {
  const words = [FIRST, SECOND, THIRD].map((list) => list[pick(list.length)]);
  const tail = Array.from({ length: 5 }, () => TAIL[pick(TAIL.length)]).join('');
  return [...words, tail].join('-');
}

/** The most characters that the API takes for a room's name. */
const LONGEST = 64;
/** How Internationalized Domain Names mark Punycode (RFC 5890, section 2.3.2.1). */
const PREFIX = 'xn--';

/**
 * The one name of a room that people write in different ways: `Tea`, `tea` and `ｔｅａ` are `tea`, `Straße` is
 * `strasse`, and `会議` stays as it is. Empty if nothing is left that can be a name. docs/page.md has the rules.
 *
 * @param {string} typed
 */
export function toRoomName(typed) {
  const name = reduce(typed);
  // What the API calls a room leads to the same room as its name.
  const decoded = name.startsWith(PREFIX) ? decode(name.slice(PREFIX.length)) : null;
  return decoded !== null && reduce(decoded) === decoded && toApiName(decoded) === name ? decoded : name;
}

/**
 * What the API calls the room: the name itself if that is ASCII, and Punycode for all others. Two names never get the
 * same.
 *
 * @param {string} name as {@link toRoomName} gives it
 */
export function toApiName(name) {
  return isAscii(name) && !name.startsWith(PREFIX) ? name : PREFIX + encode(name);
}

/**
 * The name that {@link toApiName} was given.
 *
 * @param {string} apiName
 */
export function fromApiName(apiName) {
  return apiName.startsWith(PREFIX) ? decode(apiName.slice(PREFIX.length)) ?? apiName : apiName;
}

/**
 * Why a room cannot have the name that somebody typed; empty if it can.
 *
 * @param {string} typed
 */
export function whyNoRoomName(typed) {
  const name = toRoomName(typed);
  if (name === '') return 'A room’s name needs at least one letter or digit.';
  const length = toApiName(name).length;
  if (length <= LONGEST) return '';
  const counted = isAscii(name) ? '' : ' (other letters than a to z count for more than one)';
  return `The room’s name is too long: it comes to ${length} characters of at most ${LONGEST}${counted}.`;
}

/** @param {string} text */
function isAscii(text) {
  return /^[\x00-\x7f]*$/.test(text);
}

/** @param {string} typed */
function reduce(typed) {
  const joined = fold(typed).trim().replace(/\s+/gu, '-');
  // A mark without a letter to stand on is none.
  const name = joined.replace(/[^\p{L}\p{M}\p{N}\p{So}._~-]/gu, '').replace(/^\p{M}+/u, '');
  // As the parts of a path these two would be resolved away (RFC 3986, section 5.2.4).
  return name === '.' || name === '..' ? '' : again(name, typed);
}

/**
 * Leaving characters out can bring others together that compose.
 *
 * @param {string} name
 * @param {string} from
 * @returns {string}
 */
function again(name, from) {
  return name === from ? name : reduce(name);
}

/**
 * Compatibility composition and case folding without ignorable characters, as for identifiers (Unicode Standard Annex
 * 31, NFKC_Casefold). Upper case on the way makes `ß` two letters and `ς` equal to `σ`. Beyond the standard the four
 * i of Turkish are one, in whatever language the browser is: who writes `ISPARTA` and who writes `ısparta` shall meet.
 *
 * @param {string} text
 */
function fold(text) {
  const visible = text.normalize('NFKC').replace(/\p{Default_Ignorable_Code_Point}/gu, '');
  const cased = Array.from(visible.toLowerCase().toUpperCase(), (character) => character.toLowerCase()).join('');
  return cased.replace(/i\u0307/g, 'i').normalize('NFKC');
}

/** @param {number} below */
function pickRandom(below) {
  return crypto.getRandomValues(new Uint32Array(1))[0] % below;
}
