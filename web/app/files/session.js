import { say } from '../languages/say.js';
import { part } from '../page.js';
import { Conversation } from './conversation.js';
import { FilesDialog } from './dialog.js';
import { leaveOwnFiles } from './own-storage.js';
import { Questions } from './questions.js';
import { download, openSink } from './sinks.js';
import { Transfer } from './transfer.js';
import { noteOf, percentIn } from './words.js';

/** @import { Call, Peer } from '../../client/types.d.ts' */
/** @import { Chat } from '../chat.js' */
/** @import { Incoming } from './incoming.js' */
/** @import { Outgoing } from './outgoing.js' */
/** @import { Company } from './dialog.js' */
/** @import { News } from './transfer.js' */

/** Texts and bars follow this often at most. */
const TICK_MS = 500;
const MOST_SHOWN = 200;

/** The files of one call: with whom they are exchanged, and how that is shown. */
export class Session {
  #call;
  #chat;
  /** By peer id. @type {Map<string, Conversation>} */
  #conversations = new Map();
  /** @type {Map<Outgoing | Incoming, Transfer>} */
  #transfers = new Map();
  #dialog;
  #questions = new Questions();
  #due = false;
  #over = false;
  #unsubscribe;

  /**
   * @param {Call} call
   * @param {Pick<Chat, 'note' | 'remark' | 'alert'>} chat
   */
  constructor(call, chat) {
    this.#call = call;
    this.#chat = chat;
    this.#dialog = new FilesDialog({
      send: (files, to) => this.send(files, to),
      save: ({ file }) => 'blob' in file && file.blob && download(file.blob, file.name),
      company: () => this.#company,
    });
    this.#unsubscribe = call.on('link', ({ peer, state }) => {
      if (state === 'closed') this.#forget(peer);
      else this.#conversations.get(peer.id)?.interrupt(state !== 'connected');
      this.#look(peer.id);
    });
  }

  /**
   * @param {Peer} peer
   * @param {RTCDataChannel} channel that has opened
   */
  attach(peer, channel) {
    const known = this.#conversations.get(peer.id);
    const conversation = known ?? new Conversation(peer, (file) => openSink(file.name, file.offer.size), (file, about) => this.#changed(file, about));
    this.#conversations.set(peer.id, conversation);
    conversation.attach(channel, this.#call.links.get(peer.id)?.pc?.sctp?.maxMessageSize);
    this.#look(peer.id);
  }

  open() {
    this.#dialog.open();
  }

  /**
   * @param {File[]} files
   * @param {string} to the id of a peer; empty: to everybody who can receive them
   */
  send(files, to) {
    const able = this.#company.able.filter(({ id }) => to === '' || id === to);
    for (const { id } of able) this.#conversations.get(id)?.offer(files);
    if (able.length === 0) this.open();
  }

  /** Folders were dropped. */
  refuseFolders() {
    this.#chat.note('files-no-folders', {});
  }

  /** The call is over. */
  close() {
    this.#over = true;
    this.#unsubscribe();
    for (const conversation of this.#conversations.values()) conversation.close();
    this.#questions.clear();
    this.#dialog.remove();
    this.#guard();
    this.#total();
    leaveOwnFiles();
  }

  /** @returns {Company} */
  get #company() {
    const connected = [...this.#call.links.values()].filter(({ state }) => state === 'connected').map(({ peer }) => peer);
    const knows = (/** @type {Peer} */ { metadata }) => /** @type {any} */ (metadata)?.rtc?.files === true;
    return { able: connected.filter((peer) => knows(peer) && this.#conversations.get(peer.id)?.isOpen), unable: connected.filter((peer) => !knows(peer)) };
  }

  get #moving() {
    return this.#over ? [] : [...this.#transfers.values()].filter(({ isMoving }) => isMoving);
  }

  /** @param {Peer} peer */
  #forget({ id }) {
    this.#conversations.get(id)?.close();
    this.#conversations.delete(id);
  }

  /** The connection with a peer has changed. @param {string} id */
  #look(id) {
    for (const transfer of this.#transfers.values()) if (transfer.peer.id === id && transfer.isLive) this.#tell(transfer);
    this.#later();
  }

  /**
   * @param {Outgoing | Incoming} file
   * @param {Conversation} conversation
   */
  #changed(file, conversation) {
    if (this.#over) return;
    let transfer = this.#transfers.get(file);
    if (!transfer) {
      transfer = new Transfer(file, conversation);
      this.#transfers.set(file, transfer);
      this.#dialog.add(transfer);
      this.#trim();
    }
    this.#tell(transfer);
    this.#later();
  }

  /** The oldest that are over go. */
  #trim() {
    const over = [...this.#transfers.values()].filter(({ isLive }) => !isLive);
    for (const transfer of over.slice(0, Math.max(0, this.#transfers.size - MOST_SHOWN))) {
      this.#transfers.delete(transfer.file);
      this.#dialog.drop(transfer);
    }
  }

  /** @param {Transfer} transfer */
  #tell(transfer) {
    const news = transfer.look(performance.now());
    this.#questions.update(transfer);
    if (news) this.#note(transfer, news);
    const { file } = transfer;
    if (news === 'done' && 'blob' in file && file.blob) download(file.blob, file.name);
    if (news) this.#show();
  }

  /**
   * @param {Transfer} transfer
   * @param {News} news
   */
  #note({ file, peer, interrupted, pace }, news) {
    const text = noteOf(news, file, { peer, interrupted, pace });
    if (news === 'asked' || news === 'done') this.#chat.alert(text);
    else this.#chat.remark(text);
  }

  #later() {
    if (this.#due || this.#over) return;
    this.#due = true;
    setTimeout(() => {
      this.#due = false;
      if (this.#over) return;
      // A file that stands still becomes slower, too.
      for (const transfer of this.#moving) this.#tell(transfer);
      this.#show();
      if (this.#moving.length > 0) this.#later();
    }, TICK_MS);
  }

  #show() {
    this.#dialog.refresh();
    this.#guard();
    this.#total();
  }

  /** How much of everything is done, on the button. */
  #total() {
    const moving = this.#moving;
    const [size, stored] = [moving.reduce((sum, { file }) => sum + file.offer.size, 0), moving.reduce((sum, { file }) => sum + file.stored, 0)];
    const view = part('files-total', HTMLElement);
    view.hidden = moving.length === 0;
    view.textContent = percentIn(size === 0 ? 0 : stored / size);
  }

  /** A reload would lose what is on its way. */
  #guard() {
    window.onbeforeunload = this.#moving.length > 0 ? (event) => event.preventDefault() : null;
  }
}
