import { lastingStorage } from '../../client/index.js';
import { BASE } from '../base.js';
import { write } from '../page.js';
import { LANGUAGES, choose, directionOf } from './languages.js';
import { isKey, language, learn, say, speak } from './say.js';

/** @import { Key, Values } from './say.js' */

const KEY = `signalpost:language:${BASE}`;
/** Which attribute has the message whose key is in `data-…`. @type {Record<string, string>} */
const ATTRIBUTES = { sayLabel: 'aria-label', sayPlaceholder: 'placeholder', sayContent: 'content' };
const MARKED = '[data-say], [data-say-label], [data-say-placeholder], [data-say-content]';

/** The values of the messages that elements show, for when the language changes. @type {WeakMap<Element, Values>} */
const shown = new WeakMap();
/** @type {Set<() => void>} */
const listeners = new Set();

/**
 * Shows a message in an element, in whatever language the page speaks.
 *
 * @param {Element} element
 * @param {Key} key
 * @param {Values} [values]
 */
export function show(element, key, values = {}) {
  /** @type {HTMLElement} */ (element).dataset.say = key;
  shown.set(element, values);
  write(element, say(key, values));
}

/**
 * Labels an element for screen readers with a message.
 *
 * @param {HTMLElement} element
 * @param {Key} key
 * @param {Values} [values]
 */
export function label(element, key, values = {}) {
  element.dataset.sayLabel = key;
  shown.set(element, values);
  element.setAttribute('aria-label', say(key, values));
}

/** Calls back when the user has chosen another language, until the returned function is called. @param {() => void} listener */
export function onLanguage(listener) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Speaks the language that the user has chosen, or that the browser prefers. */
export async function begin() {
  const { tag } = choose([lastingStorage.getItem(KEY) ?? '', ...navigator.languages]);
  if (tag !== language()) await change(tag);
}

/** Lists the languages. @param {HTMLSelectElement} picker */
export function fillPicker(picker) {
  picker.replaceChildren(...LANGUAGES.map(({ tag, name }) => {
    const option = new Option(name, tag);
    option.lang = tag;
    return option;
  }));
  const mark = () => { picker.value = language(); };
  mark();
  onLanguage(mark);
  picker.addEventListener('change', () => {
    lastingStorage.setItem(KEY, picker.value);
    void change(picker.value);
  });
}

/** Folders of catalogues: those of the first load, and what was needed since. */
const folders = ['', 'trouble/'];

/** Loads the messages of a part of the page that is not always used. @param {'files/'} folder */
export async function learnMore(folder) {
  if (folders.includes(folder)) return;
  learn((await import(`./${folder}en.js`)).default);
  const tag = language();
  // Without it, this part speaks English.
  if (tag !== 'en') await load(tag, [...folders, folder]).then((catalogue) => tag === language() && speak(tag, catalogue)).catch(() => {});
  folders.push(folder);
}

/**
 * @param {string} tag
 * @param {string[]} from
 */
async function load(tag, from) {
  const parts = await Promise.all(from.map((folder) => import(`./${folder}${tag}.js`)));
  return Object.assign({}, ...parts.map((part) => part.default));
}

/** The language that was asked for last: an earlier one may take longer to load. */
let latest = '';

/** @param {string} tag */
async function change(tag) {
  latest = tag;
  try {
    const catalogue = await load(tag, folders);
    if (tag !== latest) return;
    speak(tag, catalogue);
  } catch {
    // The catalogues did not load: the page keeps its language.
    for (const listener of listeners) listener();
    return;
  }
  Object.assign(document.documentElement, { lang: tag, dir: directionOf(tag) });
  translate(document);
  for (const listener of listeners) listener();
}

/** @param {Document | DocumentFragment} root */
function translate(root) {
  for (const element of root.querySelectorAll(MARKED)) {
    const { dataset } = /** @type {HTMLElement} */ (element);
    if (dataset.say && isKey(dataset.say)) write(element, say(dataset.say, shown.get(element)));
    for (const [name, attribute] of Object.entries(ATTRIBUTES)) {
      const key = dataset[name];
      if (key && isKey(key)) element.setAttribute(attribute, say(key, shown.get(element)));
    }
  }
  for (const { content } of root.querySelectorAll('template')) translate(content);
}
