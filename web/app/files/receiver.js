import { crc32 } from './crc32.js';
import { safeName } from './safe-name.js';
import { WINDOW } from './wire.js';

/** @import { Declined, FromSender, Offered, Port, Withdrawn } from './wire.js' */

/** Bytes that are written at once. The sender is told after each. */
const BATCH = 1024 * 1024;
/** Questions that one peer may ask before they are answered. */
const MOST_ASKED = 50;

/**
 * Where a file goes.
 *
 * @typedef {object} Sink
 * @property {(bytes: Uint8Array<ArrayBuffer>) => Promise<void>} write
 * @property {() => Promise<Blob | null>} close resolves with the file, if it has yet to be saved
 * @property {() => Promise<void>} abort throws away what was written
 *
 * `asked`, `opening` (the user chooses where to save it), `receiving`, `finishing`, or an end.
 *
 * @typedef {'asked' | 'opening' | 'receiving' | 'finishing' | 'done' | 'over'} IncomingState
 * @typedef {Declined | Withdrawn | 'left'} IncomingEnd
 *
 * @typedef {object} Incoming
 * @property {Offered} offer
 * @property {string} name fit to be shown
 * @property {IncomingState} state
 * @property {IncomingEnd} [why] it is over, unless it is done
 * @property {'us' | 'them'} [by]
 * @property {boolean} agreed on this channel: from which offset on
 * @property {number} received
 * @property {number} stored
 * @property {number} crc of what was received
 * @property {Uint8Array[]} waiting to be written
 * @property {Promise<void>} written after all writes so far
 * @property {Sink} [sink]
 * @property {Blob | null} [blob] to be saved
 */

/** The files that one peer sends. */
export class Receiver {
  /** @type {Map<number, Incoming>} */
  #files = new Map();
  /** @type {Port | null} */
  #port = null;
  #open;
  #changed;

  /**
   * @param {(file: Incoming) => Promise<Sink>} open rejects with an `AbortError` if the user does not want to after all
   * @param {(file: Incoming) => void} changed
   */
  constructor(open, changed) {
    this.#open = open;
    this.#changed = changed;
  }

  /** Are there files that are not complete? */
  get isBusy() {
    return this.#live.length > 0;
  }

  /** @param {Port | null} port */
  attach(port) {
    this.#port = port;
    for (const file of this.#live) {
      file.agreed = false;
      this.#changed(file);
    }
  }

  /** @param {FromSender} message */
  take(message) {
    if (message.type === 'hello') return this.#greeted(message.files);
    if (message.type === 'offer') return this.#offered(message.file);
    const file = this.#files.get(message.id);
    if (!file || !isLive(file)) return;
    if (message.type === 'withdraw') this.#end(file, message.reason, 'them');
    else if (file.state !== 'receiving' || !file.agreed) return;
    else if (message.type === 'chunk') this.#chunk(file, message);
    else this.#complete(file, message.crc);
  }

  /** The user wants it. @param {Incoming} file */
  async accept(file) {
    if (file.state !== 'asked') return;
    this.#enter(file, 'opening');
    const sink = await this.#open(file).catch((error) => this.#notOpened(file, error));
    if (!sink) return;
    // It was withdrawn meanwhile.
    if (/** @type {IncomingState} */ (file.state) !== 'opening') return void sink.abort();
    file.sink = sink;
    this.#enter(file, 'receiving');
    this.#agree(file);
  }

  /** The user does not want it, or not any more. @param {Incoming} file */
  decline(file) {
    if (isLive(file)) this.#refuse(file, file.state === 'asked' ? 'declined' : 'cancelled');
  }

  /** The peer is gone. */
  close() {
    for (const file of this.#live) this.#end(file, 'left', 'them');
    this.#port = null;
  }

  get #live() {
    return [...this.#files.values()].filter(isLive);
  }

  /** Everything that the sender knows of. @param {Offered[]} offers */
  #greeted(offers) {
    for (const file of this.#live) if (!offers.some(({ id }) => id === file.offer.id)) this.#end(file, 'gone', 'them');
    for (const offer of offers) this.#offered(offer);
  }

  /** @param {Offered} offer */
  #offered(offer) {
    const known = this.#files.get(offer.id);
    if (known && known.offer.name === offer.name && known.offer.size === offer.size) return this.#again(known);
    if (known) this.#end(known, 'gone', 'them');
    if (this.#live.filter(({ state }) => state === 'asked').length >= MOST_ASKED) return this.#say({ type: 'decline', id: offer.id, reason: 'too-many' });
    /** @type {Incoming} */
    const file = { offer, name: safeName(offer.name), state: 'asked', agreed: false, received: 0, stored: 0, crc: 0, waiting: [], written: Promise.resolve() };
    this.#files.set(offer.id, file);
    this.#changed(file);
  }

  /** The sender asks on another channel. @param {Incoming} file */
  #again(file) {
    if (file.state === 'receiving' && !file.agreed) this.#agree(file);
    else if (file.state === 'done') this.#say({ type: 'received', id: file.offer.id });
    else if (file.state === 'over' && file.by === 'us') this.#say({ type: 'decline', id: file.offer.id, reason: file.why });
  }

  /** @param {Incoming} file */
  #agree(file) {
    if (!this.#port) return;
    file.agreed = true;
    this.#say({ type: 'accept', id: file.offer.id, offset: file.received });
    this.#changed(file);
  }

  /**
   * @param {Incoming} file
   * @param {Error} error
   */
  #notOpened(file, error) {
    if (file.state !== 'opening') return;
    if (error.name === 'AbortError') this.#enter(file, 'asked');
    else this.#refuse(file, reasonOf(error));
  }

  /**
   * @param {Incoming} file
   * @param {{ offset: number, bytes: Uint8Array }} chunk
   */
  #chunk(file, { offset, bytes }) {
    const end = offset + bytes.length;
    if (offset !== file.received || end > file.offer.size || end - file.stored > 2 * WINDOW) return this.#refuse(file, 'damaged');
    file.crc = crc32(bytes, file.crc);
    file.received = end;
    file.waiting.push(bytes);
    if (file.waiting.reduce((sum, { length }) => sum + length, 0) >= BATCH) this.#write(file);
  }

  /**
   * @param {Incoming} file
   * @param {number} crc
   */
  #complete(file, crc) {
    if (file.received !== file.offer.size || file.crc !== crc) return this.#refuse(file, 'damaged');
    this.#enter(file, 'finishing');
    this.#write(file);
    void file.written.then(async () => {
      if (file.state !== 'finishing') return;
      const blob = await file.sink?.close();
      if (file.state !== 'finishing') return;
      file.blob = blob ?? null;
      this.#enter(file, 'done');
      this.#say({ type: 'received', id: file.offer.id });
    }).catch((error) => this.#refuse(file, reasonOf(error)));
  }

  /** @param {Incoming} file */
  #write(file) {
    const [bytes, end] = [joined(file.waiting.splice(0)), file.received];
    file.written = file.written.then(async () => {
      if (!isLive(file)) return;
      await file.sink?.write(bytes);
      file.stored = end;
      if (!isLive(file)) return;
      if (file.agreed) this.#say({ type: 'stored', id: file.offer.id, offset: end });
      this.#changed(file);
    }).catch((error) => this.#refuse(file, reasonOf(error)));
  }

  /**
   * @param {Incoming} file
   * @param {Declined} reason
   */
  #refuse(file, reason) {
    if (!isLive(file)) return;
    this.#say({ type: 'decline', id: file.offer.id, reason });
    this.#end(file, reason, 'us');
  }

  /**
   * @param {Incoming} file
   * @param {IncomingEnd} why
   * @param {'us' | 'them'} by
   */
  #end(file, why, by) {
    if (!isLive(file)) return;
    Object.assign(file, { why, by, waiting: [] });
    this.#enter(file, 'over');
    // Nothing is left to do about a file that cannot be thrown away.
    void file.written.then(() => file.sink?.abort()).catch(() => {});
  }

  /** @param {object} message */
  #say(message) {
    this.#port?.send(JSON.stringify(message));
  }

  /**
   * @param {Incoming} file
   * @param {IncomingState} state
   */
  #enter(file, state) {
    file.state = state;
    this.#changed(file);
  }
}

/** @param {Incoming} file */
function isLive({ state }) {
  return state !== 'done' && state !== 'over';
}

/** @param {Uint8Array[]} parts */
function joined(parts) {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** @param {Error} error @returns {Declined} */
function reasonOf({ name }) {
  if (name === 'QuotaExceededError') return 'space';
  return name === 'TooLarge' ? 'too-large' : 'disk';
}
