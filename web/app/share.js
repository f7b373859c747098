import { part } from './page.js';
import { generate } from './vendor/lean-qr.mjs';

const SAID_FOR_MS = 2_000;

/** Ways to bring others into the room. */
export class Share {
  #copy = part('copy-link', HTMLButtonElement);
  #dialog = part('code-dialog', HTMLDialogElement);
  #canvas = part('code', HTMLCanvasElement);
  #link = part('code-link', HTMLAnchorElement);
  #address = '';

  constructor() {
    this.#copy.addEventListener('click', () => void this.#copied());
    part('show-code', HTMLButtonElement).addEventListener('click', () => this.#showCode());
    this.#dialog.addEventListener('click', ({ target }) => target === this.#dialog && this.#dialog.close());
  }

  /** @param {string} address the room's */
  follow(address) {
    this.#address = address;
  }

  close() {
    this.#dialog.close();
  }

  async #copied() {
    try {
      await navigator.clipboard.writeText(this.#address);
    } catch {
      // On plain http there is no clipboard; from the dialog the link can be taken by hand.
      return this.#showCode();
    }
    const label = /** @type {HTMLElement} */ (this.#copy.querySelector('span'));
    label.textContent = 'Link copied';
    setTimeout(() => void (label.textContent = 'Copy link'), SAID_FOR_MS);
  }

  #showCode() {
    generate(this.#address).toCanvas(this.#canvas, { on: [0, 0, 0], off: [255, 255, 255], pad: 4 });
    this.#link.href = this.#address;
    this.#link.textContent = readable(this.#address);
    this.#dialog.showModal();
  }
}

/**
 * The room's name as people write it. The copied address stays encoded: not everything that makes links of text knows
 * where one with other letters ends.
 *
 * @param {string} address
 */
function readable(address) {
  const room = new URL(address).searchParams.get('room') ?? '';
  return address.replace(encodeURIComponent(room), () => room);
}
