import { show } from '../languages/document.js';

/** @import { Key } from '../languages/say.js' */

/**
 * An element with its children. What it says in the language of the page is given by key.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {{ class?: string, test?: string, key?: Key, [attribute: string]: string | undefined }} [about]
 * @param {...Node} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, { class: kind, test, key, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  if (kind) element.className = kind;
  if (test) element.dataset.testid = test;
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) element.setAttribute(name, value);
  if (key) show(element, key);
  element.append(...children);
  return element;
}

/**
 * @param {Key} key
 * @param {string} test
 * @param {() => void} press
 * @param {string} [kind]
 */
export function button(key, test, press, kind = '') {
  const element = make('button', { type: 'button', class: `button ${kind}`, test, key });
  element.onclick = press;
  element.onkeydown = onlyOnce;
  return element;
}

/** A key that is held does not press what gets the focus next. @param {KeyboardEvent} event */
function onlyOnce(event) {
  if (event.repeat && event.key === 'Enter') event.preventDefault();
}

let ids = 0;

/** An id that nothing else in the page has. */
export function newId() {
  return `files-${(ids += 1)}`;
}
