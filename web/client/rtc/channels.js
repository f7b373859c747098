/**
 * The channels for chat on one connection: ours, which both ends agree on beforehand, and any that the other end opens
 * itself, because it knows nothing of that agreement. Ours is then open all the same, and leads nowhere: nothing of it
 * is announced.
 */
export class Channels {
  #ends;
  #own;
  /** @type {RTCDataChannel[]} */
  #theirs = [];
  /** Where the other end was last heard. @type {RTCDataChannel | null} */
  #heard = null;
  #open = false;
  #ownWasOpen = false;

  /**
   * @param {RTCPeerConnection} pc
   * @param {{ opened: (open: boolean) => void, changed: () => void, received: (data: unknown) => void }} ends
   */
  constructor(pc, ends) {
    this.#ends = ends;
    // Without an announcement it is there whoever offers.
    this.#own = pc.createDataChannel('chat', { negotiated: true, id: 0 });
    this.#listen(this.#own);
    // An application with channels of its own sets this to a listener of its own.
    pc.ondatachannel = ({ channel }) => this.#adopt(channel);
  }

  /** What to say something on. */
  get current() {
    // Of several that the other opened: the one called as ours, or else the newest.
    const theirs = [...this.#theirs].reverse().sort((a, b) => Number(b.label === 'chat') - Number(a.label === 'chat'));
    return [this.#heard, ...theirs].find((channel) => channel?.readyState === 'open') ?? this.#own;
  }

  /** The other end closed its connection, and this with it. */
  get isAbandoned() {
    return this.#ownWasOpen && this.#own.readyState === 'closed';
  }

  /** @param {RTCDataChannel} channel */
  #adopt(channel) {
    this.#theirs.push(channel);
    this.#listen(channel);
    this.#look();
  }

  /** @param {RTCDataChannel} channel */
  #listen(channel) {
    channel.binaryType = 'arraybuffer';
    channel.onopen = channel.onclose = () => this.#look();
    channel.onmessage = ({ data }) => {
      this.#heard = channel;
      this.#ends.received(data);
    };
  }

  #look() {
    this.#ownWasOpen ||= this.#own.readyState === 'open';
    this.#theirs = this.#theirs.filter(({ readyState }) => readyState !== 'closed');
    const before = this.#open;
    this.#open = this.current.readyState === 'open';
    if (this.#open !== before) this.#ends.opened(this.#open);
    this.#ends.changed();
  }
}
