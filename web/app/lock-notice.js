import { isolatedName } from './names.js';
import { part, write } from './page.js';

/** @import { Room } from '../client/types.d.ts' */

/** Locks a room that this page made when somebody is removed from it: they could come back as somebody new. */
export class LockNotice {
  #view = part('locked', HTMLElement);
  #words = part('locked-words', HTMLElement);
  #unlock = part('unlock', HTMLButtonElement);

  /** @param {Room} room */
  follow(room) {
    room.on('peer-left', async ({ peer, reason }) => {
      if (reason !== 'kicked') return;
      try {
        await room.lock(true);
      } catch {
        // Somebody else made the room, and decides.
        return;
      }
      write(this.#words, `The room is locked, so that ${isolatedName(peer)} cannot come back. Nobody else can join.`);
      this.#view.hidden = false;
    });
    this.#unlock.onclick = async () => {
      await room.lock(false).catch(() => {});
      this.clear();
    };
  }

  clear() {
    this.#view.hidden = true;
  }
}
