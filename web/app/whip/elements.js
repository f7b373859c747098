import { show } from '../languages/document.js';

/** @import { Key } from '../languages/say.js' */

const SAID_FOR_MS = 2_000;

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Partial<HTMLElementTagNameMap[Tag]>} properties
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Key} key
 * @param {Partial<HTMLElementTagNameMap[Tag]>} [properties]
 */
export function saying(tag, key, properties = {}) {
  const made = element(tag, properties);
  show(made, key);
  return made;
}

/**
 * Something to paste elsewhere, with a button that copies it.
 *
 * @param {string} id for tests
 */
export function copyable(id) {
  const text = element('code', { dir: 'ltr', tabIndex: 0 });
  text.dataset.testid = id;
  const button = saying('button', 'copy', { type: 'button', className: 'button small' });
  button.setAttribute('aria-live', 'polite');
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(text.textContent ?? '');
      show(button, 'copied');
      setTimeout(() => show(button, 'copy'), SAID_FOR_MS);
    } catch {
      // Plain http has no clipboard: the user copies what is selected.
      getSelection()?.selectAllChildren(text);
    }
  };
  return { view: element('div', { className: 'copyable' }, text, button), text };
}
