import common from './en.js';
import { directionOf } from './languages.js';
import trouble from './trouble/en.js';

/** @type {Record<Key, Message>} */
const english = /** @type {any} */ ({ ...common, ...trouble });

/** @import files from './files/en.js' */

/**
 * What a message is: one text, or one for each plural category of the language.
 *
 * @typedef {string | Partial<Record<Intl.LDMLPluralRule, string>>} Message
 * @typedef {keyof typeof common | keyof typeof trouble | keyof typeof files} Key
 * @typedef {Record<keyof typeof common, Message>} Catalogue
 * @typedef {Record<keyof typeof trouble, Message>} Trouble
 * @typedef {Record<keyof typeof files, Message>} Files
 * @typedef {Record<string, string | number>} Values
 */

/** English needs no other catalogue; any other language falls back to it. @type {{ tag: string, catalogue: Partial<Record<string, Message>> }} */
let spoken = { tag: 'en', catalogue: english };

/** The tag of the language that the page speaks. */
export function language() {
  return spoken.tag;
}

/**
 * Speaks another language from now on.
 *
 * @param {string} tag
 * @param {Partial<Record<string, Message>>} catalogue
 */
export function speak(tag, catalogue) {
  spoken = { tag, catalogue };
}

/**
 * A message in the language of the page. Names in the values are isolated already (`names.js`).
 *
 * @param {Key} key
 * @param {Values} [values] by the name of the placeholder; `count` chooses the plural form
 */
export function say(key, values = {}) {
  const known = spoken.catalogue[key];
  const [tag, message] = known === undefined ? ['en', english[key]] : [spoken.tag, known];
  return formOf(tag, message, values).replace(/\{(\w+)\}/g, (placeholder, name) => isolated(tag, values[name] ?? placeholder));
}

/**
 * @param {string} tag
 * @param {Message} message
 * @param {Values} values
 */
function formOf(tag, message, { count }) {
  if (typeof message === 'string') return message;
  return message[new Intl.PluralRules(tag).select(Number(count))] ?? message.other ?? '';
}

/**
 * In a language from right to left, hosts and the like keep their order. What has isolates already stays as it is.
 *
 * @param {string} tag
 * @param {string | number} value
 */
function isolated(tag, value) {
  const text = String(value);
  return typeof value === 'string' && directionOf(tag) === 'rtl' && !text.includes('\u2068') ? `\u2068${text}\u2069` : text;
}

/** Adds the English of a part of the page that is not always used. @param {Partial<Record<Key, Message>>} messages */
export function learn(messages) {
  Object.assign(english, messages);
}

/** Names, as a sentence lists them: `A, B and C`. @param {string[]} names */
export function list(names) {
  // British English has no comma before the last.
  return new Intl.ListFormat(spoken.tag === 'en' ? 'en-GB' : spoken.tag).format(names);
}

/** Is there such a message? @param {string} key @returns {key is Key} */
export function isKey(key) {
  return Object.hasOwn(english, key);
}
