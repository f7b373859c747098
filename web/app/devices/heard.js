import { isolatedName } from '../names.js';
import { ALL_LIVE, newsOf, readDeviceNews } from './news.js';

/** @import { Call, Peer, Room } from '../../client/types.d.ts' */
/** @import { Chat } from '../chat.js' */
/** @import { Stage } from '../stage.js' */
/** @import { DeviceNews } from './news.js' */

/** How long the chat says no more about a peer's devices after a note: nobody can fill it by switching something on and off. */
const PAUSE_MS = 5_000;

/** @typedef {{ now: DeviceNews, noted: DeviceNews, timer: ReturnType<typeof setTimeout> | null }} Heard what the chat says, and what is true */

/** What becomes of the others' devices. From somebody who has not been let in yet, only the last news is kept for later. */
export class DeviceNotes {
  #room;
  #call;
  #chat;
  #stage;
  #speak;
  /** By peer id. @type {Map<string, DeviceNews>} */
  #held = new Map();
  /** By peer id. @type {Map<string, Heard>} */
  #heard = new Map();

  /**
   * @param {Pick<Room, 'on' | 'peers'>} room
   * @param {Pick<Call, 'on' | 'links'>} call
   * @param {Pick<Chat, 'note'>} chat
   * @param {Pick<Stage, 'heard'>} stage
   * @param {(text: string) => void} speak to screen readers
   */
  constructor(room, call, chat, stage, speak) {
    this.#room = room;
    this.#call = call;
    this.#chat = chat;
    this.#stage = stage;
    this.#speak = speak;
    room.on('message', (message) => {
      const news = message.type === 'data' ? readDeviceNews(message.data) : null;
      if (news) this.#take(message.from, news);
    });
    call.on('link', ({ peer: { id } }) => {
      const news = this.#held.get(id);
      if (news) this.#take(id, news);
    });
    room.on('peer-left', ({ peer: { id } }) => {
      const timer = this.#heard.get(id)?.timer;
      if (timer) clearTimeout(timer);
      this.#held.delete(id);
      this.#heard.delete(id);
    });
  }

  /**
   * @param {string} id
   * @param {DeviceNews} news
   */
  #take(id, news) {
    const peer = this.#room.peers.get(id);
    if (!peer) return;
    if (!this.#call.links.has(id)) return void this.#held.set(id, news);
    this.#held.delete(id);
    const { spoken } = newsOf(isolatedName(peer), this.#stage.heard(peer, news), news);
    if (spoken.length > 0) this.#speak(spoken.join(' · '));
    const heard = this.#heard.get(id) ?? { now: news, noted: ALL_LIVE, timer: null };
    this.#heard.set(id, heard);
    heard.now = news;
    if (!heard.timer) this.#note(peer, heard);
  }

  /**
   * @param {Peer} peer
   * @param {Heard} heard
   */
  #note(peer, heard) {
    heard.timer = null;
    // The call may be over.
    if (!this.#call.links.has(peer.id)) return;
    const name = isolatedName(peer);
    const { log } = newsOf(name, heard.noted, heard.now);
    heard.noted = heard.now;
    for (const key of log) this.#chat.note(key, { name });
    if (log.length > 0) heard.timer = setTimeout(() => this.#note(peer, heard), PAUSE_MS);
  }
}
