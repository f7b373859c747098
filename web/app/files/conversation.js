import { Receiver } from './receiver.js';
import { Sender } from './sender.js';
import { SHORTEST, greeting, read } from './wire.js';

/** @import { Peer } from '../../client/types.d.ts' */
/** @import { Incoming, Sink } from './incoming.js' */
/** @import { Outgoing } from './outgoing.js' */
/** @import { FromReceiver, FromSender, Port } from './wire.js' */

/** With so much left in the channel, more is read. */
const LOW = 256 * 1024;
/** Of what the receiver of a file says. @type {readonly string[]} */
const OF_RECEIVER = ['accept', 'stored', 'received', 'decline'];
/** What every end can take in a message (RFC 8841, section 6.1). */
const LIMIT = 64 * 1024;

/** Files to and from one peer, over one channel after the other: docs/files.md. */
export class Conversation {
  /** @type {RTCDataChannel | null} */
  #channel = null;
  /** Of that channel. @type {Port | null} */
  #port = null;
  /** Is it for messages that are too short? */
  isUnfit = false;
  #greeted = false;
  #quiet = false;
  #sender;
  #receiver;
  #changed;

  /**
   * @param {Peer} peer
   * @param {(file: Incoming) => Promise<Sink>} open
   * @param {(file: Outgoing | Incoming, conversation: Conversation) => void} changed
   */
  constructor(peer, open, changed) {
    this.peer = peer;
    this.#changed = changed;
    this.#sender = new Sender((file) => changed(file, this));
    this.#receiver = new Receiver(open, (file) => changed(file, this));
  }

  /** Can files be offered now? */
  get isOpen() {
    return this.#channel?.readyState === 'open';
  }

  /** Does nothing arrive at present? */
  get isInterrupted() {
    return this.#quiet || !this.isOpen;
  }

  /**
   * @param {RTCDataChannel} channel that has opened
   * @param {number} [limit] bytes in a message
   */
  attach(channel, limit = LIMIT) {
    this.isUnfit = limit < SHORTEST;
    this.#greeted = false;
    this.#quiet = false;
    channel.onmessage = null;
    if (this.isUnfit) return this.#detach();
    this.#channel = channel;
    channel.bufferedAmountLowThreshold = LOW;
    channel.onmessage = ({ data }) => channel === this.#channel && this.#hear(data);
    channel.onbufferedamountlow = () => this.#sender.pump();
    channel.onclose = () => channel === this.#channel && this.#detach();
    this.#connect(portOf(channel, limit));
    if (this.#sender.offers.length > 0 || this.#receiver.isBusy) this.#greet();
  }

  /** The connection is interrupted, or works again. @param {boolean} quiet */
  interrupt(quiet) {
    this.#quiet = quiet;
    // A connection that was replaced does not tell that its channel is closed.
    if (this.#channel && !this.isOpen) this.#detach();
  }

  /** @param {(Blob & { name: string })[]} sources */
  offer(sources) {
    for (const source of sources) {
      const { offer } = this.#sender.add(source);
      if (this.#greeted) this.#port?.send(JSON.stringify({ type: 'offer', file: offer }));
    }
    this.#greet();
  }

  /** @param {Incoming} file */
  accept(file) {
    return this.#receiver.accept(file);
  }

  /** The user does not want it to go on. @param {Outgoing | Incoming} file */
  cancel(file) {
    if ('source' in file) this.#sender.cancel(file);
    else this.#receiver.decline(file);
  }

  /** The peer is gone. */
  close() {
    this.#channel = this.#port = null;
    this.#sender.close();
    this.#receiver.close();
  }

  /** @param {unknown} data */
  #hear(data) {
    const message = read(data);
    if (!message) return;
    if (message.type === 'hello') this.#greet();
    if (OF_RECEIVER.includes(message.type)) this.#sender.take(/** @type {FromReceiver} */ (message));
    else this.#receiver.take(/** @type {FromSender} */ (message));
  }

  /** The first thing that is said on a channel: all that this end offers. */
  #greet() {
    const port = this.#port;
    if (this.#greeted || !port || !this.isOpen) return;
    const [hello, ...more] = greeting(this.#sender.offers, port.limit).map((message) => JSON.stringify(message));
    this.#greeted = port.send(hello);
    for (const offer of more) port.send(offer);
  }

  #detach() {
    this.#channel = null;
    this.#connect(null);
  }

  /** @param {Port | null} port */
  #connect(port) {
    this.#port = port;
    this.#sender.attach(port);
    this.#receiver.attach(port);
  }
}

/**
 * @param {RTCDataChannel} channel
 * @param {number} limit
 * @returns {Port}
 */
function portOf(channel, limit) {
  return {
    limit,
    get bufferedAmount() { return channel.bufferedAmount; },
    send(data) {
      try {
        channel.send(/** @type {string} */ (data));
        return true;
      } catch {
        // It is closed: the next one begins with what has arrived.
        return false;
      }
    },
  };
}
