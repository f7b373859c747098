import { whipRole } from '../rtc/whip.js';
import { RoomKey } from '../sealed/room-key.js';
import { Unusable } from '../sealed/replays.js';
import { FIELDS, Seals } from '../sealed/seals.js';

/** @import { Batch, Joined, Message, Notice, Peer, Refusal, Relayed, Trouble, Wishes } from '../types.d.ts' */

/** A repeated message tells nothing about who has which key. @type {Partial<Record<Refusal, Trouble>>} */
const TROUBLES = { unsealed: 'no key', unreadable: 'another key' };

/** What one member of a sealed room sends and receives, sealed and opened. */
export class Sealing {
  #seals;
  #self = '';
  /** What peers lack, by id. @type {Map<string, Trouble>} */
  troubles = new Map();
  /** Peers whose messages say more than their cards. @type {Set<string>} */
  #heard = new Set();
  /** @type {Set<string>} */
  #changed = new Set();

  /**
   * @param {RoomKey} key
   * @param {string} room
   * @param {string} tag
   */
  constructor(key, room, tag) {
    this.key = key.text;
    /** Where this page's seat is kept: one that was taken with another key has a card that nobody here can read. */
    this.tag = tag;
    this.#seals = new Seals(key, room);
  }

  /**
   * Null if the room is not sealed.
   *
   * @param {string} room
   * @param {{ key?: string, passphrase?: string }} options
   */
  static async of(room, { key, passphrase }) {
    if (key === undefined && passphrase === undefined) return null;
    if (key !== undefined && passphrase !== undefined) throw new TypeError('A room has a key or a passphrase, not both.');
    const made = passphrase === undefined ? RoomKey.of(String(key)) : await RoomKey.ofPassphrase(passphrase, room);
    return new Sealing(made, room, await made.tag());
  }

  /**
   * A join that tells the server no name.
   *
   * @param {Wishes} wishes
   * @returns {Promise<Wishes>}
   */
  async wishes({ name, metadata, ...others }) {
    return { ...others, metadata: await this.#seals.sealCard({ name, metadata }) };
  }

  /**
   * @param {string | null} to
   * @param {Message} message
   */
  seal(to, message) {
    return this.#seals.seal(this.#self, to, message);
  }

  /**
   * The response to a join, with cards that can be read.
   *
   * @param {Joined} joined
   * @returns {Promise<Joined>}
   */
  async joined(joined) {
    this.#self = joined.peer.id;
    const { peer } = await this.#card(joined.peer);
    return { ...joined, peer, peers: await Promise.all(joined.peers.map((one) => this.#peer(one))) };
  }

  /**
   * Opens a batch. What is not used has no `message`.
   *
   * @param {Batch} batch its messages are new: `isStale` has seen to that
   * @returns {Promise<{ arrived: Relayed | Notice, message?: Relayed | Notice, refused?: Refusal }[]>}
   */
  async opened({ messages }) {
    const opened = [];
    // One after the other: the order of their numbers is checked.
    for (const arrived of messages) opened.push({ arrived, ...(await this.#open(arrived)) });
    return opened;
  }

  /** Peers whose trouble has changed since the last call of this. */
  changes() {
    const changed = [...this.#changed];
    this.#changed.clear();
    return changed;
  }

  /** @param {Relayed | Notice} arrived @returns {Promise<{ message?: Relayed | Notice, refused?: Refusal }>} */
  async #open(arrived) {
    if (arrived.type === 'peer-joined') return { message: { ...arrived, peer: await this.#peer(arrived.peer) } };
    if (!('from' in arrived) || !Object.hasOwn(FIELDS, arrived.type)) return { message: arrived };
    try {
      const message = await this.#seals.open(this.#self, arrived);
      this.#note(arrived.from, undefined);
      return { message };
    } catch (error) {
      const refused = whyOf(error);
      if (TROUBLES[refused]) this.#note(arrived.from, TROUBLES[refused]);
      return { refused };
    }
  }

  /**
   * @param {string} id
   * @param {Trouble | undefined} trouble
   */
  #note(id, trouble) {
    this.#heard.add(id);
    this.#set(id, trouble);
  }

  /**
   * @param {string} id
   * @param {Trouble | undefined} trouble
   */
  #set(id, trouble) {
    if (this.troubles.get(id) === trouble) return;
    if (trouble) this.troubles.set(id, trouble);
    else this.troubles.delete(id);
    this.#changed.add(id);
  }

  /** @param {Peer} card */
  async #peer(card) {
    const { peer, refused } = await this.#card(card);
    if (!this.#heard.has(peer.id)) this.#set(peer.id, refused && TROUBLES[refused]);
    return peer;
  }

  /**
   * A name that is not sealed is not shown: the server may have chosen it.
   *
   * @param {Peer} card
   * @returns {Promise<{ peer: Peer, refused?: Refusal }>}
   */
  async #card(card) {
    try {
      return { peer: { ...card, ...(await this.#seals.openCard(card.metadata)) } };
    } catch (error) {
      // Encoders have no key. That a peer is one is told by the id, too, which only the server gives.
      const whip = whipRole(card);
      return { peer: { ...card, name: '', metadata: whip ? { whip } : {} }, refused: whyOf(error) };
    }
  }
}

/** @param {unknown} error */
function whyOf(error) {
  return error instanceof Unusable ? error.why : 'malformed';
}
