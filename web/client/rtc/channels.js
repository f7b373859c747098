/**
 * The channels for chat on one connection: the negotiated one, on which both ends agree, and any that the peer opens
 * because it does not know that agreement. The negotiated one then opens all the same, but the peer does not read it.
 * Besides, the negotiated channels that the application wants.
 */
export class Channels {
  #host;
  #own;
  /** @type {RTCDataChannel[]} */
  #theirs = [];
  /** Where the peer was last heard. @type {RTCDataChannel | null} */
  #heard = null;
  #open = false;
  #ownWasOpen = false;

  /**
   * @param {RTCPeerConnection} pc
   * @param {Record<string, number>} more ids of the application's channels, by their labels
   * @param {{ opened: (open: boolean) => void, changed: () => void, received: (data: unknown) => void, more: (channel: RTCDataChannel) => void }} host
   */
  constructor(pc, more, host) {
    this.#host = host;
    // Negotiated, so that it exists whichever end offers.
    this.#own = pc.createDataChannel('chat', { negotiated: true, id: 0 });
    this.#listen(this.#own);
    for (const [label, id] of Object.entries(more)) {
      const channel = pc.createDataChannel(label, { negotiated: true, id });
      channel.binaryType = 'arraybuffer';
      channel.onopen = () => host.more(channel);
    }
    // An application with channels of its own replaces this listener.
    pc.ondatachannel = ({ channel }) => this.#adopt(channel);
  }

  /** Where to send. */
  get current() {
    // Of several that the peer opened: the one labelled like ours, or else the newest.
    const theirs = [...this.#theirs].reverse().sort((a, b) => Number(b.label === 'chat') - Number(a.label === 'chat'));
    return [this.#heard, ...theirs].find((channel) => channel?.readyState === 'open') ?? this.#own;
  }

  /** The peer has closed its connection, and with it the channel. */
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
      this.#host.received(data);
    };
  }

  #look() {
    this.#ownWasOpen ||= this.#own.readyState === 'open';
    this.#theirs = this.#theirs.filter(({ readyState }) => readyState !== 'closed');
    const before = this.#open;
    this.#open = this.current.readyState === 'open';
    if (this.#open !== before) this.#host.opened(this.#open);
    this.#host.changed();
  }
}
