import { fits, incoming, isLive, reasonOf, take, write } from './incoming.js';
import { Patience } from './patience.js';
import { release } from './release.js';

/** @import { Incoming, IncomingEnd, IncomingState, Sink } from './incoming.js' */
/** @import { Declined, FromSender, Offered, Port } from './wire.js' */

/** Files, with those that are over and that their sender may ask about again. */
const MOST_KEPT = 250;

/** The files that one peer sends. */
export class Receiver {
  /** @type {Map<number, Incoming>} */
  #files = new Map();
  /** @type {Port | null} */
  #port = null;
  #patience = new Patience();
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
    else if (message.type === 'end') this.#complete(file, message.crc);
    else if (fits(file, message)) {
      take(file, message.bytes, () => this.#write(file));
      release(message.bytes.buffer);
    } else this.#refuse(file, 'damaged');
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
    for (const file of this.#needing) this.#end(file, 'left', 'them');
    this.#port = null;
  }

  get #live() {
    return [...this.#files.values()].filter(isLive);
  }

  /** Those that need their sender: one of which everything is here does not. */
  get #needing() {
    return this.#live.filter(({ state }) => state !== 'finishing');
  }

  /** Everything that the sender knows of. @param {Offered[]} offers */
  #greeted(offers) {
    for (const file of this.#needing) if (!offers.some(({ id }) => id === file.offer.id)) this.#end(file, 'gone', 'them');
    for (const offer of offers) this.#offered(offer);
  }

  /** @param {Offered} offer */
  #offered(offer) {
    const known = this.#files.get(offer.id);
    const isSame = known?.offer.name === offer.name && known.offer.size === offer.size;
    if (known && isSame && !(known.state === 'over' && known.by === 'them')) return this.#again(known);
    if (known) this.#end(known, 'gone', 'them');
    if (this.#patience.ends(this.#live.filter(({ state }) => state === 'asked').length)) return this.#say({ type: 'decline', id: offer.id, reason: 'too-many' });
    const file = incoming(offer);
    this.#files.set(offer.id, file);
    if (this.#files.size > MOST_KEPT) this.#files.delete([...this.#files.values()].find((one) => !isLive(one))?.offer.id ?? offer.id);
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
      Object.assign(file, { blob: blob ?? null, spare: [] });
      this.#enter(file, 'done');
      this.#say({ type: 'received', id: file.offer.id });
    }).catch((error) => this.#refuse(file, reasonOf(error)));
  }

  /** @param {Incoming} file */
  #write(file) {
    write(file, () => {
      if (file.agreed) this.#say({ type: 'stored', id: file.offer.id, offset: file.stored });
      this.#changed(file);
    }, (error) => this.#refuse(file, reasonOf(error)));
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
    Object.assign(file, { why, by, batch: null, spare: [] });
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
