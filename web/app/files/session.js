import { companyOf } from './company.js';
import { Conversation } from './conversation.js';
import { Deferred } from './deferred.js';
import { FilesDialog } from './dialog.js';
import { showMoving } from './moving.js';
import { leaveOwnFiles } from './own-storage.js';
import { MOST_ASKED } from './patience.js';
import { Questions } from './questions.js';
import { openSink, save } from './sinks.js';
import { Transfer } from './transfer.js';
import { noteOf } from './words.js';

/** @import { Call, Peer } from '../../client/types.d.ts' */
/** @import { Key, Values } from '../languages/say.js' */
/** @import { Chat } from '../chat.js' */
/** @import { Incoming } from './incoming.js' */
/** @import { Outgoing } from './outgoing.js' */
/** @import { Company } from './company.js' */
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
  #shown = new Deferred(() => this.#show(), 0);
  #ticks = new Deferred(() => this.#tick(), TICK_MS);
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
      save: ({ file }) => save(file),
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

  /** Something else is more important than the dialog. */
  closeDialog() {
    this.#dialog.close();
  }

  /**
   * @param {File[]} files
   * @param {string} to the id of a peer; empty: to everybody who can receive them
   */
  send(files, to) {
    // Nobody would be asked about more.
    if (files.length > MOST_ASKED) return this.#refuse('files-too-many', { limit: MOST_ASKED });
    const able = this.#company.able.filter(({ id }) => to === '' || id === to);
    for (const { id } of able) this.#conversations.get(id)?.offer(files);
    if (able.length === 0) this.open();
  }

  /** Folders were dropped. */
  refuseFolders() {
    this.#refuse('files-no-folders', {});
  }

  /**
   * In the dialog, too, since it may cover the chat.
   *
   * @param {Key} key
   * @param {Values} values
   */
  #refuse(key, values) {
    this.#chat.note(key, values);
    this.#dialog.refuse(key, values);
  }

  /** The call is over. */
  close() {
    this.#over = true;
    this.#unsubscribe();
    for (const one of [this.#shown, this.#ticks]) one.stop();
    for (const conversation of this.#conversations.values()) conversation.close();
    this.#questions.clear();
    this.#dialog.remove();
    showMoving([]);
    leaveOwnFiles();
  }

  /** @returns {Company} */
  get #company() {
    return companyOf([...this.#call.links.values()], this.#conversations);
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
    this.#ticks.want();
  }

  /**
   * @param {Outgoing | Incoming} file
   * @param {Conversation} conversation
   */
  #changed(file, conversation) {
    if (this.#over) return save(file);
    let transfer = this.#transfers.get(file);
    if (!transfer) {
      transfer = new Transfer(file, conversation);
      this.#transfers.set(file, transfer);
      this.#dialog.add(transfer);
      this.#trim();
    }
    this.#tell(transfer);
    this.#ticks.want();
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
    if (news === 'done') save(transfer.file);
    if (news) this.#shown.want();
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

  #tick() {
    // A file that stands still becomes slower, too.
    for (const transfer of this.#moving) this.#tell(transfer);
    this.#show();
    if (this.#moving.length > 0) this.#ticks.want();
  }

  #show() {
    this.#dialog.refresh();
    showMoving(this.#moving);
  }
}
