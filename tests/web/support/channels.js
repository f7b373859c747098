/** A data channel in memory. What is sent waits until it is delivered. */
class Channel {
  readyState = 'open';
  bufferedAmount = 0;
  bufferedAmountLowThreshold = 0;
  onmessage = null;
  onclose = null;
  onbufferedamountlow = null;
  sent = [];

  send(data) {
    if (this.readyState !== 'open') throw new Error('InvalidStateError');
    // As on a wire: a copy, and binary as an ArrayBuffer.
    this.sent.push(typeof data === 'string' ? data : data.slice().buffer);
    this.bufferedAmount += data.length;
  }

  /** Delivers the oldest message to the other end. */
  deliver(other) {
    const data = this.sent.shift();
    const before = this.bufferedAmount;
    this.bufferedAmount -= data.length ?? data.byteLength;
    other.onmessage?.({ data });
    const low = this.bufferedAmountLowThreshold;
    if (before > low && this.bufferedAmount <= low) this.onbufferedamountlow?.();
  }
}

/** How many parts of files are being read. */
let reads = 0;
for (const [owner, name] of [[ReadableStreamBYOBReader.prototype, 'read'], [Blob.prototype, 'arrayBuffer']]) {
  const own = owner[name];
  owner[name] = async function counted(...values) {
    reads += 1;
    try {
      return await own.apply(this, values);
    } finally {
      reads -= 1;
    }
  };
}

/** Guards against hanging only. */
const PATIENCE_MS = 60_000;

/** The two ends of a channel. */
export class Wire {
  ends = [new Channel(), new Channel()];

  /** Delivers everything, and what is sent because of it, until nothing is left. @param {() => void} [look] called after each delivery */
  async run(look = () => {}) {
    await this.#deliver(() => void look());
  }

  /** Delivers until this is so, and fails if it never is. @param {() => unknown} enough */
  async until(enough) {
    if (!await this.#deliver(enough)) throw new Error(`nothing is left to deliver, and it is not so: ${enough}`);
  }

  /** @param {() => unknown} enough */
  async #deliver(enough) {
    const [one, other] = this.ends;
    const started = Date.now();
    // What follows from a part that was read is sent in some further turns.
    for (let idle = 0; idle < 20; ) {
      if (enough()) return true;
      const isBusy = reads + one.sent.length + other.sent.length > 0;
      if (one.sent.length > 0) one.deliver(other);
      if (enough()) return true;
      if (other.sent.length > 0) other.deliver(one);
      await new Promise(setImmediate);
      idle = isBusy ? 0 : idle + 1;
      if (Date.now() - started > PATIENCE_MS) throw new Error(`${reads} parts of files are still being read`);
    }
    return false;
  }

  /** The connection is gone, with what was in transit. */
  cut() {
    for (const end of this.ends) {
      Object.assign(end, { readyState: 'closed', sent: [] });
      end.onclose?.();
    }
  }
}
