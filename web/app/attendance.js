/** @import { Peer, Resumption } from '../client/types.d.ts' */

/**
 * Who is in the room, for the notes in the chat. A server that was restarted may give everybody a new id, and has them join
 * again: those are not worth a note.
 */
export class Attendance {
  /** By id: the name, and whether the server has lost sight of the peer. @type {Map<string, { name: string, doubtful: boolean }>} */
  #here = new Map();

  /** @param {Iterable<Peer>} peers */
  constructor(peers = []) {
    for (const peer of peers) this.#add(peer);
  }

  /** The server does not answer, and may have been restarted when it does. */
  doubt() {
    for (const one of this.#here.values()) one.doubtful = true;
  }

  /** @param {Resumption} resumption */
  resumed({ lost, roster }) {
    const ids = new Set(roster.map(({ id }) => id));
    for (const [id, one] of this.#here) if (!lost || ids.has(id)) one.doubtful = false;
  }

  /** Is this worth a note? @param {Peer} peer */
  joined(peer) {
    const again = this.#here.has(peer.id) || this.#replace(peer);
    this.#add(peer);
    return !again;
  }

  /** Is this worth a note? @param {Peer} peer */
  left({ id }) {
    return this.#here.delete(id);
  }

  /** Takes the place of somebody with the same name who is doubtful. @param {Peer} peer */
  #replace({ name }) {
    const found = [...this.#here].find(([, one]) => one.doubtful && one.name === name);
    return found !== undefined && this.#here.delete(found[0]);
  }

  /** @param {Peer} peer */
  #add({ id, name }) {
    this.#here.set(id, { name: name ?? '', doubtful: false });
  }
}
