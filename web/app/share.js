import { isolate } from './names.js';
import { part, write } from './page.js';
import { generate } from './vendor/lean-qr.mjs';

const SAID_FOR_MS = 2_000;

/** Ways to invite others: the link and its QR code. */
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
      // Plain http has no clipboard; the dialog shows the link.
      return this.#showCode();
    }
    const label = /** @type {HTMLElement} */ (this.#copy.querySelector('span'));
    label.textContent = 'Link copied';
    setTimeout(() => void (label.textContent = 'Copy link'), SAID_FOR_MS);
  }

  #showCode() {
    generate(this.#address).toCanvas(this.#canvas, { on: [0, 0, 0], off: [255, 255, 255], pad: 4 });
    this.#link.href = this.#address;
    write(this.#link, readable(this.#address));
    this.#dialog.showModal();
  }
}

/**
 * The URL with the room's name as it is written, isolated. The copied URL stays encoded, because programs that turn text
 * into links may end them at other letters.
 *
 * @param {string} address
 */
function readable(address) {
  const room = new URL(address).searchParams.get('room') ?? '';
  return address.replace(String(new URLSearchParams({ room })), () => `room=${isolate(room)}`);
}
