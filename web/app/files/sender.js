import { crc32 } from './crc32.js';
import { isLive, outgoing } from './outgoing.js';
import { BLOCK, Source } from './source.js';
import { WINDOW, Parts } from './wire.js';

/** @import { Outgoing, OutgoingEnd, OutgoingState } from './outgoing.js' */
/** @import { FromReceiver, Port, Withdrawn } from './wire.js' */

/** More than this must not wait in the channel, which breaks at 16 MB in Chromium. */
const HIGH = 1024 * 1024;

/** The files that one peer is sent, one after the other. */
export class Sender {
  /** By id. @type {Map<number, Outgoing>} */
  #files = new Map();
  /** @type {Port | null} */
  #port = null;
  #busy = false;
  #parts = new Parts();
  /** @type {{ file: Outgoing, source: Source } | null} */
  #reading = null;
  #changed;

  /** @param {(file: Outgoing) => void} changed */
  constructor(changed) {
    this.#changed = changed;
  }

  /** What is not complete, and then what is offered. */
  get offers() {
    const isNew = (/** @type {Outgoing} */ { state }) => Number(state === 'offered');
    return this.#live.sort((one, other) => isNew(one) - isNew(other)).map(({ offer }) => offer);
  }

  /**
   * Adds a file. It has to be offered.
   *
   * @param {Blob & { name: string }} source
   */
  add(source) {
    let id;
    do [id] = crypto.getRandomValues(new Uint32Array(1)); while (this.#files.has(id));
    const file = outgoing(id, source);
    this.#files.set(id, file);
    this.#changed(file);
    return file;
  }

  /** A channel has opened. Nothing is sent on it before the receiver has said where to go on. @param {Port | null} port */
  attach(port) {
    this.#port = port;
    for (const file of this.#live) {
      file.agreed = false;
      this.#changed(file);
    }
  }

  /** @param {FromReceiver} message */
  take(message) {
    const file = this.#files.get(message.id);
    if (message.type === 'accept' && !(file && isLive(file))) this.#say({ type: 'withdraw', id: message.id, reason: file?.by === 'us' ? 'cancelled' : 'gone' });
    if (!file || !isLive(file)) return;
    if (message.type === 'accept') this.#accepted(file, message.offset);
    else if (message.type === 'stored') this.#stored(file, message.offset);
    else if (message.type === 'decline') this.#end(file, message.reason, 'them');
    else if (file.state === 'checking') this.#enter(file, 'done');
  }

  /** The channel takes more. */
  pump() {
    void this.#pump();
  }

  /** @param {Outgoing} file */
  cancel(file) {
    this.#withdraw(file, 'cancelled');
  }

  /** The peer is gone. */
  close() {
    for (const file of this.#live) this.#end(file, 'left', 'them');
    this.#port = null;
  }

  get #live() {
    return [...this.#files.values()].filter(isLive);
  }

  /**
   * @param {Outgoing} file
   * @param {number} offset
   */
  #accepted(file, offset) {
    const crc = offset === 0 ? 0 : file.sums.get(offset);
    if (crc === undefined) return this.#withdraw(file, 'gone');
    Object.assign(file, { agreed: true, sent: offset, stored: offset, crc });
    file.sums = new Map([[offset, crc]]);
    this.#enter(file, 'sending');
    this.pump();
  }

  /**
   * @param {Outgoing} file
   * @param {number} offset
   */
  #stored(file, offset) {
    if (!file.agreed || offset < file.stored || offset > file.sent) return;
    file.stored = offset;
    for (const at of file.sums.keys()) if (at < offset) file.sums.delete(at);
    this.#changed(file);
    this.pump();
  }

  async #pump() {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let file = this.#next; file; file = this.#next) await this.#sendBlock(file);
    } finally {
      this.#busy = false;
    }
  }

  /** The file whose turn it is, if it may go on. */
  get #next() {
    if (!this.#port || this.#port.bufferedAmount > HIGH) return undefined;
    const file = this.#live.find(({ state, agreed }) => state === 'sending' && agreed);
    return file && file.sent - file.stored + BLOCK <= WINDOW ? file : undefined;
  }

  /** @param {Outgoing} file */
  async #sendBlock(file) {
    const [port, from] = [this.#port, file.sent];
    if (this.#reading?.file !== file) this.#read(file);
    const bytes = await this.#reading?.source.read(from).catch(() => null);
    // Meanwhile it may be cancelled, or wanted from elsewhere.
    if (!port || port !== this.#port || file.state !== 'sending' || !file.agreed || file.sent !== from) return;
    if (!bytes) return this.#withdraw(file, 'unreadable');
    for (const part of this.#parts.of(bytes, port)) {
      port.send(this.#parts.message(file.offer.id, file.sent, part));
      file.crc = crc32(part, file.crc);
      file.sent += part.length;
      file.sums.set(file.sent, file.crc);
    }
    if (file.sent < file.offer.size) return;
    this.#say({ type: 'end', id: file.offer.id, crc: file.crc });
    this.#enter(file, 'checking');
  }

  /** @param {Outgoing | null} file */
  #read(file) {
    this.#reading?.source.close();
    this.#reading = file && { file, source: new Source(file.source) };
  }

  /**
   * @param {Outgoing} file
   * @param {Withdrawn} reason
   */
  #withdraw(file, reason) {
    if (!isLive(file)) return;
    this.#say({ type: 'withdraw', id: file.offer.id, reason });
    this.#end(file, reason, 'us');
  }

  /** @param {object} message */
  #say(message) {
    this.#port?.send(JSON.stringify(message));
  }

  /**
   * @param {Outgoing} file
   * @param {OutgoingEnd} why
   * @param {'us' | 'them'} by
   */
  #end(file, why, by) {
    Object.assign(file, { why, by });
    this.#enter(file, 'over');
  }

  /**
   * @param {Outgoing} file
   * @param {OutgoingState} state
   */
  #enter(file, state) {
    file.state = state;
    if (state !== 'sending' && this.#reading?.file === file) this.#read(null);
    this.#changed(file);
  }
}
