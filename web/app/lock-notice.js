import { tabStorage } from '../client/index.js';
import { BASE } from './base.js';
import { show } from './languages/document.js';
import { isolatedName } from './names.js';
import { part } from './page.js';

/** @import { Room } from '../client/types.d.ts' */

const KEY = `signalpost:locked:${BASE}`;

/**
 * Locks a room that this page made when somebody is removed from it: they could come back as somebody new. Says so until it is
 * unlocked, also after a reload.
 */
export class LockNotice {
  #view = part('locked', HTMLElement);
  #words = part('locked-words', HTMLElement);
  #unlock = part('unlock', HTMLButtonElement);

  /** @param {Room} room */
  follow(room) {
    // A new room under an old name.
    if (room.created) tabStorage.removeItem(KEY);
    const kept = read();
    if (kept?.room === room.name) this.#show(kept.name);
    room.on('peer-left', async ({ peer, reason }) => {
      if (reason !== 'kicked') return;
      try {
        await room.lock(true);
      } catch {
        // Somebody else made the room, and decides.
        return;
      }
      const name = isolatedName(peer);
      tabStorage.setItem(KEY, JSON.stringify({ room: room.name, name }));
      this.#show(name);
    });
    this.#unlock.onclick = async () => {
      await room.lock(false).catch(() => {});
      tabStorage.removeItem(KEY);
      this.clear();
    };
  }

  clear() {
    this.#view.hidden = true;
  }

  /** @param {string} name isolated */
  #show(name) {
    show(this.#words, 'locked', { name });
    this.#view.hidden = false;
  }
}

/** @returns {{ room: string, name: string } | null} */
function read() {
  try {
    const kept = JSON.parse(tabStorage.getItem(KEY) ?? 'null');
    return typeof kept?.room === 'string' && typeof kept.name === 'string' ? kept : null;
  } catch {
    return null;
  }
}
