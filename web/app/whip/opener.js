import { whipRole } from '../../client/index.js';
import { part } from '../page.js';

/** @import { Peer, Room } from '../../client/types.d.ts' */
/** @import { Wish } from '../address.js' */
/** @import { Share } from '../share.js' */
/** @import { WhipDialog } from './dialog.js' */

/** The buttons beside the link for people: most calls never load what they open. */
export class WhipOpener {
  #buttons = part('whip-buttons', HTMLElement);
  #trouble = part('whip-not-loaded', HTMLElement);
  #share;
  /** @type {{ room: Room, wish: Wish } | null} */
  #call = null;
  /** @type {WhipDialog | null} */
  #dialog = null;
  /** Of the dialog, so that two clicks make one. @type {Promise<WhipDialog> | null} */
  #loading = null;

  /** @param {Pick<Share, 'address' | 'close'>} share */
  constructor(share) {
    this.#share = share;
    part('add-encoder', HTMLElement).addEventListener('click', () => void this.#open('whip'));
    part('watch-in-player', HTMLElement).addEventListener('click', () => void this.#open('whep'));
  }

  /** @param {Room} room @param {Wish} wish */
  follow(room, wish) {
    this.#call = { room, wish };
    // Encoders have no key.
    this.#buttons.hidden = room.key !== null;
  }

  /** Has the user just been told how to call with it? Then there is no question. @param {Peer} peer */
  expects(peer) {
    return whipRole(peer) === 'encoder' && this.#dialog?.expectsEncoder === true;
  }

  close() {
    this.#dialog?.close();
  }

  clear() {
    this.close();
    this.#call = null;
    this.#buttons.hidden = this.#trouble.hidden = true;
  }

  /** @param {'whip' | 'whep'} kind */
  async #open(kind) {
    const call = this.#call;
    if (!call) return;
    this.#trouble.hidden = true;
    try {
      this.#loading ??= load();
      this.#dialog = await this.#loading;
    } catch {
      this.#loading = null;
      this.#trouble.hidden = false;
      return;
    }
    // The call may be over by now, and a second click may have opened it.
    if (call !== this.#call || this.#dialog.isOpen) return;
    this.#share.close();
    this.#dialog.open({ ...call, link: this.#share.address }, kind);
  }
}

async function load() {
  const { WhipDialog } = await import('./dialog.js');
  return WhipDialog.load();
}
