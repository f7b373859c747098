import { show } from './languages/document.js';
import { list } from './languages/say.js';
import { isolatedName } from './names.js';
import { part } from './page.js';

/** @import { Peer } from '../client/types.d.ts' */

/** Says who of the others records the call, for as long as they do. */
export class Recorders {
  #view = part('recorders', HTMLElement);
  /** @type {Map<string, string>} names by id */
  #names = new Map();

  /**
   * @param {Peer} peer
   * @param {boolean} recording
   */
  heard(peer, recording) {
    if (recording === this.#names.has(peer.id)) return;
    if (recording) this.#names.set(peer.id, isolatedName(peer));
    else this.#names.delete(peer.id);
    this.#show();
  }

  /** A peer left: the recording has ended, too. @param {string} id */
  forget(id) {
    if (this.#names.delete(id)) this.#show();
  }

  clear() {
    this.#names.clear();
    this.#show();
  }

  #show() {
    const count = this.#names.size;
    if (count > 0) show(this.#view, 'recording-by', { names: list([...this.#names.values()]), count });
    else this.#view.textContent = '';
    this.#view.hidden = count === 0;
  }
}
