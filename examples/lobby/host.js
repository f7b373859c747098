import { randomBytes } from 'node:crypto';

import { Queue } from './queue.js';

/**
 * Talks with the people in the lobby, by messages of the type `data`:
 *
 *     { want: 'pair' }                 a person asks, as often as they like
 *     { want: 'nothing' }              a person no longer waits
 *     { waiting: { place, missing }}   to a person: their place, and how many people are missing
 *     { pair: { room, secret, seats }} to each of a group: where to go; they have to leave the lobby
 *     { ask: 'want' }                  to all: those who wait have to ask again, because this program has forgotten
 */
export class Host {
  #room;
  #queue;
  #size;
  #print;
  /** Ids of those who were told where to go and are about to leave: what they still ask was sent before they knew. */
  #leaving = new Set();

  constructor(room, size, print) {
    this.#room = room;
    this.#size = size;
    this.#queue = new Queue(size);
    this.#print = print;
    room.on('message', ({ from, type, data }) => type === 'data' && this.#hear(from, data));
    room.on('peer-left', ({ peer }) => { this.#leaving.delete(peer.id); this.#forget(peer.id); });
    room.on('resumed', ({ lost }) => lost && this.#again());
  }

  /** People may have been there before this program, which remembers nobody. */
  start() {
    this.#again();
  }

  /** After a restart of the server, people may have new ids: nobody must be put together with their former self. */
  #again() {
    this.#queue.clear();
    this.#leaving.clear();
    this.#send(null, { ask: 'want' });
  }

  #hear(id, data) {
    if (!this.#room.peers.has(id) || this.#leaving.has(id)) return;
    if (data?.want === 'nothing') this.#forget(id);
    if (data?.want !== 'pair') return;
    this.#queue.add(id);
    const group = this.#queue.take();
    if (group) this.#bring(group);
    else this.#send(id, { waiting: this.#queue.placeOf(id) });
  }

  /** The room is created by the first who goes there. Its name is in URLs and so in logs, the secret is not. */
  #bring(group) {
    const pair = { room: `pair-${randomBytes(16).toString('hex')}`, secret: randomBytes(16).toString('hex'), seats: this.#size };
    for (const id of group) {
      this.#leaving.add(id);
      this.#send(id, { pair });
    }
    this.#print(`${group.map((id) => this.#room.peers.get(id)?.name || 'somebody').join(' and ')} go to a room`);
  }

  #forget(id) {
    if (!this.#queue.remove(id)) return;
    for (const waiting of this.#queue) this.#send(waiting, { waiting: this.#queue.placeOf(waiting) });
  }

  #send(to, data) {
    // Somebody has just left, or this program has to stop, which it says itself.
    this.#room.send(to, { type: 'data', data }).catch((error) => this.#print(error.message));
  }
}
