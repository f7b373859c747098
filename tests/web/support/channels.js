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

/** The two ends of a channel. */
export class Wire {
  ends = [new Channel(), new Channel()];

  /** Delivers everything, and what is sent because of it, until `enough` or nothing is left. @param {() => boolean} [enough] */
  async run(enough = () => false) {
    for (let idle = 0; idle < 20 && !enough(); ) {
      const [one, other] = this.ends;
      const before = one.sent.length + other.sent.length;
      if (one.sent.length > 0) one.deliver(other);
      if (enough()) return;
      if (other.sent.length > 0) other.deliver(one);
      // Files are read and written in tasks of their own.
      await new Promise(setImmediate);
      idle = before > 0 ? 0 : idle + 1;
    }
  }

  /** The connection is gone, with what was in transit. */
  cut() {
    for (const end of this.ends) {
      Object.assign(end, { readyState: 'closed', sent: [] });
      end.onclose?.();
    }
  }
}
