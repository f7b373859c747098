import { pieces, plain } from './names.js';

/** Access to the document for all parts of the page. */

/**
 * @template {Element} Kind
 * @param {string} id
 * @param {new () => Kind} kind
 * @returns {Kind}
 */
export function part(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`The page has no ${kind.name} #${id}.`);
  return found;
}

/**
 * A copy of a template's only element.
 *
 * @param {string} id
 */
export function copyOf(id) {
  const copy = part(id, HTMLTemplateElement).content.firstElementChild?.cloneNode(true);
  return /** @type {HTMLElement} */ (copy);
}

/**
 * @param {Element} root
 * @param {string} name of the `data-part`
 */
export function inside(root, name) {
  return /** @type {HTMLElement} */ (root.querySelector(`[data-part="${name}"]`));
}

/**
 * Shows a text with isolates, each as a `<bdi>` element.
 *
 * @param {Element} element
 * @param {string} text
 */
export function write(element, text) {
  // A screen reader would read the same text again.
  if (element.textContent === plain(text)) return;
  element.replaceChildren(...pieces(text).map((piece, at) => (at % 2 === 0 ? piece : isolating(piece))));
}

/** @param {string} text */
function isolating(text) {
  const element = document.createElement('bdi');
  element.textContent = text;
  return element;
}
