import { tabStorage } from '../client/index.js';
import { BASE } from './base.js';
import { show } from './languages/document.js';
import { isolate } from './names.js';
import { part, write } from './page.js';
import { atAddress, isLoopback } from './reachable.js';

const SAID_FOR_MS = 2_000;
const ELSEWHERE = `signalpost:elsewhere:${BASE}`;

/** Ways to invite others: the link, its QR code, and on phones what the system offers to share with. A link to this machine is of no use to them, so another address can be given. */
export class Share {
  #copy = part('copy-link', HTMLButtonElement);
  #dialog = part('code-dialog', HTMLDialogElement);
  #canvas = part('code', HTMLCanvasElement);
  #link = part('code-link', HTMLAnchorElement);
  #elsewhere = part('elsewhere', HTMLInputElement);
  #local = part('local-link', HTMLElement);
  #own = '';
  #isPhone = typeof navigator.share === 'function' && matchMedia('(pointer: coarse)').matches;

  constructor() {
    show(this.#label, this.#says);
    this.#copy.addEventListener('click', () => void (this.#isPhone ? this.#shared() : this.#copied()));
    for (const id of ['show-code', 'other-address']) part(id, HTMLButtonElement).addEventListener('click', () => this.#showCode());
    this.#dialog.addEventListener('click', ({ target }) => target === this.#dialog && this.#dialog.close());
    this.#elsewhere.value = tabStorage.getItem(ELSEWHERE) ?? '';
    this.#elsewhere.addEventListener('input', () => {
      tabStorage.setItem(ELSEWHERE, this.#elsewhere.value);
      this.#draw();
    });
  }

  /** @param {string} address the room's */
  follow(address) {
    this.#own = address;
    this.#local.hidden = true;
  }

  close() {
    this.#dialog.close();
    this.#local.hidden = true;
  }

  get #label() {
    return /** @type {HTMLElement} */ (this.#copy.querySelector('span'));
  }

  get #says() {
    return this.#isPhone ? 'share-link' : 'copy-link';
  }

  get #isLocal() {
    return isLoopback(new URL(this.#own).hostname);
  }

  /** The link to share: with the other address, if there is one. */
  get address() {
    return (this.#isLocal && atAddress(this.#own, this.#elsewhere.value)) || this.#own;
  }

  async #shared() {
    try {
      await navigator.share({ url: this.address });
    } catch (error) {
      // The user has changed their mind, or there is nothing to share with.
      if (/** @type {DOMException} */ (error).name !== 'AbortError') return this.#copied();
    }
    this.#local.hidden = this.address !== this.#own || !this.#isLocal;
  }

  async #copied() {
    try {
      await navigator.clipboard.writeText(this.address);
    } catch {
      // Plain http has no clipboard; the dialog shows the link.
      return this.#showCode();
    }
    this.#local.hidden = this.address !== this.#own || !this.#isLocal;
    show(this.#label, 'link-copied');
    setTimeout(() => show(this.#label, this.#says), SAID_FOR_MS);
  }

  #showCode() {
    this.#local.hidden = true;
    part('elsewhere-field', HTMLElement).hidden = !this.#isLocal;
    this.#draw();
    this.#dialog.showModal();
  }

  #draw() {
    const { address } = this;
    part('code-warning', HTMLElement).hidden = !isLoopback(new URL(address).hostname);
    this.#link.href = address;
    write(this.#link, readable(address));
    this.#canvas.hidden = true;
    import('./vendor/lean-qr.mjs').then(({ generate }) => {
      // Another address may have been typed meanwhile.
      if (address !== this.address) return;
      generate(address).toCanvas(this.#canvas, { on: [0, 0, 0], off: [255, 255, 255], pad: 4 });
      this.#canvas.hidden = false;
    }).catch(() => {
      // The link is still there.
    });
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
