import { say } from './languages/say.js';

/** First strong isolate and its end: the text between them has no effect on the direction of the text around it (UAX 9, section 2.4). */
const FSI = '\u2068';
const PDI = '\u2069';
/** Invisible, but needed to write words and emoji: joiners and variation selectors. */
const PART_OF_WRITING = /[\u200c\u200d\ufe0e\ufe0f]/;
/** More marks on one letter than any script needs would cover the lines above and below. */
const SURPLUS_MARKS = /((?:\p{M}[\u200c\u200d]*){3}\p{M})[\u200c\u200d]*\p{M}[\p{M}\u200c\u200d]*/gu;

/**
 * A peer's name, fit to be shown. The server relays names as they are and only limits their length.
 *
 * @param {{ name?: string }} peer
 */
export function nameOf({ name = '' }) {
  const shown = legible(inOneLine(name.normalize('NFC')));
  return /[^\p{Default_Ignorable_Code_Point}\p{M}\s]/u.test(shown) ? shown : say('guest');
}

/** @param {string} text without marks that have no letter, and with few on each */
export function legible(text) {
  return text.replace(/^\p{M}+/u, '').replace(SURPLUS_MARKS, '$1');
}

/** In code points: a family of four, each with a colour of skin. Chains of joiners have no end. */
const LONGEST_LETTER = 11;

/**
 * The first letter, or a whole emoji or flag, in capitals. A letter has its marks.
 *
 * @param {string} name
 */
export function initialOf(name) {
  const visible = name.replace(/^[\p{Default_Ignorable_Code_Point}\s]+/u, '');
  // Firefox has Intl.Segmenter since version 125.
  const [first] = 'Segmenter' in Intl ? new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(visible) : visible;
  const letter = (typeof first === 'string' ? first : first?.segment) ?? '?';
  return ([...letter].length > LONGEST_LETTER ? [...letter][0] : letter).toUpperCase();
}

/** A peer's name for use within a text, isolated. @param {{ name?: string }} peer */
export function isolatedName(peer) {
  return isolate(nameOf(peer));
}

/** @param {string} text without isolates of its own */
export function isolate(text) {
  return FSI + text + PDI;
}

/**
 * Text from elsewhere as one line, without controls and direction marks, which would affect the text around it.
 *
 * @param {string} text
 */
export function inOneLine(text) {
  return text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Zs}\u2800]+/gu, ' ')
    .replace(/[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu, (one) => (PART_OF_WRITING.test(one) ? one : ''))
    .trim();
}

/** A text without isolates, for programs. @param {string} text */
export function plain(text) {
  return text.replace(/[\u2068\u2069]/g, '');
}

/**
 * Splits a text at its isolates: every other piece was isolated.
 *
 * @param {string} text
 */
export function pieces(text) {
  return text.split(/\u2068([^\u2068\u2069]*)\u2069/);
}

/** Escapes invisible characters and direction marks as JSON does. @param {string} text */
export function escaped(text) {
  return text.replace(/(?![\t\r\n])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (one) =>
    one.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`));
}
