import { Conversation } from '../../../web/app/files/conversation.js';
import { Wire } from './channels.js';

/** Bytes that differ from place to place. */
export const bytesOf = (length) => Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8) * 7) & 255);

export const fileOf = (length, name = 'tea.bin') => new File([bytesOf(length)], name, { type: 'application/tea' });

/** Where a file of a test goes. `fails`: the name of the error that writing ends with. */
export class Store {
  written = [];
  aborted = false;
  closed = false;
  fails = '';

  async write(bytes) {
    if (this.fails) throw Object.assign(new Error('cannot write'), { name: this.fails });
    this.written.push(bytes.slice());
  }

  async close() {
    this.closed = true;
    return new Blob(this.written);
  }

  async abort() {
    this.aborted = true;
  }

  get bytes() {
    return new Uint8Array(Buffer.concat(this.written));
  }
}

/** One end: a conversation, with the files that it has and where they go. */
export class End {
  files = [];
  stores = [];
  /** By which the next file is opened. */
  open = async () => new Store();

  constructor(name) {
    const peer = { id: name, name, metadata: {} };
    this.conversation = new Conversation(peer, async (file) => {
      const store = await this.open(file);
      this.stores.push(store);
      return store;
    }, (file) => this.files.includes(file) || this.files.push(file));
  }

  get states() {
    return this.files.map(({ state, why, by }) => [state, why, by].filter(Boolean).join(' '));
  }
}

/** Ann sends to Ben. */
export function couple() {
  const pair = { ann: new End('ben'), ben: new End('ann'), wire: new Wire() };
  return Object.assign(pair, { connect: () => connect(pair), run: (look) => pair.wire.run(look), until: (enough) => pair.wire.until(enough) });
}

/** Both get a new channel. */
function connect(pair) {
  pair.wire = new Wire();
  pair.ann.conversation.attach(pair.wire.ends[0]);
  pair.ben.conversation.attach(pair.wire.ends[1]);
}

/** Ann and Ben, with files that Ben has been offered. */
export async function offered(...sources) {
  const pair = couple();
  pair.connect();
  pair.ann.conversation.offer(sources);
  await pair.run();
  return pair;
}
