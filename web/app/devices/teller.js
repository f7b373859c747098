import { tabStorage, whipRole } from '../../client/index.js';
import { BASE } from '../base.js';
import { deviceNews } from './news.js';

/** @import { Call, Room } from '../../client/types.d.ts' */
/** @import { Kind } from './media.js' */
/** @import { Extra } from './news.js' */

const KEY = `signalpost:told:${BASE}`;
/** What peers assume until they are told. */
const ALL_WELL = JSON.stringify(deviceNews([]));

/** Tells the others in the call when a device stops, works again, or is switched off or on. */
export class DeviceTeller {
  /** The last news that each peer was sent, by id; empty if its page may not know them. @type {Map<string, string>} */
  #told = new Map();
  #room;
  #call;
  #state;
  #storage;
  #assumed;

  /**
   * @param {Room} room
   * @param {Call} call
   * @param {() => { missing: Kind[], off: Kind[], extra?: Extra }} state of the devices
   * @param {Pick<Storage, 'getItem' | 'setItem'>} [storage]
   */
  constructor(room, call, state, storage = tabStorage) {
    this.#storage = storage;
    // Before it was reloaded, this page may have told the peers of a hand or a recording that is no more.
    this.#assumed = storage.getItem(KEY) ? '' : ALL_WELL;
    this.#room = room;
    this.#call = call;
    this.#state = state;
    // With a new id, this is a new peer to the others.
    room.on('resumed', ({ renamed }) => {
      if (renamed) this.#told.clear();
      this.tell();
    });
    call.on('link', ({ peer: { id }, state }) => {
      // A new connection may be with a page that was reloaded.
      if ((state === 'connecting' || state === 'closed') && this.#told.has(id)) this.#told.set(id, '');
      this.tell();
    });
  }

  tell() {
    const { missing, off, extra } = this.#state();
    const data = deviceNews(missing, off, extra);
    const news = JSON.stringify(data);
    if (news !== ALL_WELL) this.#storage.setItem(KEY, 'true');
    // Nothing is sent to peers without a connection: they may not have been let in, and a page that is being reloaded would miss it.
    for (const { peer, peer: { id }, state } of this.#call.links.values()) {
      const isUp = state === 'connected' || state === 'interrupted';
      if (!isUp || whipRole(peer) || news === (this.#told.get(id) ?? this.#assumed)) continue;
      this.#told.set(id, news);
      // It does not matter if the peer or the room is gone.
      void this.#room.send(id, { type: 'data', data }).catch(() => {});
    }
  }
}
