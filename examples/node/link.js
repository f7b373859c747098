import { PeerConnection } from 'node-datachannel';

/** A connection with one peer, and on it the data channel that browsers with `web/client` use for chat. */
export class Link {
  #pc;
  #channel;
  #send;
  /** The peer's description in force. */
  #remote = null;
  /** Ours, until they may be sent. */
  #candidates = [];

  constructor(room, peer, print) {
    this.#send = (message) => room.send(peer.id, message).catch((error) => print(`${peer.name}: ${error.message}`));
    this.#pc = new PeerConnection(peer.id, { iceServers: room.iceServers.flatMap(withCredentials), disableAutoNegotiation: true });
    this.#pc.onLocalDescription((sdp, type) => this.#send({ type, sdp }));
    this.#pc.onLocalCandidate((candidate, sdpMid) => this.#sendCandidate({ type: 'candidate', candidate: { candidate, sdpMid } }));
    this.#channel = this.#pc.createDataChannel('chat', { negotiated: true, id: 0 });
    this.#channel.onOpen(() => print(`connected with ${peer.name}`));
    this.#channel.onMessage((text) => print(`${peer.name}: ${text}`));
  }

  offer() {
    this.#pc.setLocalDescription('offer');
  }

  /**
   * Whether an offer belongs to this connection. A page that was reloaded makes a new one, with a new certificate; and
   * libdatachannel cannot restart ICE, so an offer with new ICE credentials needs a new connection, too.
   */
  continues(sdp) {
    return this.#remote !== null && identity(this.#remote) === identity(sdp);
  }

  /** Takes a signaling message from the peer. */
  take({ type, sdp, candidate }) {
    if (type === 'bye') this.close();
    else if (type === 'candidate') this.#addCandidate(candidate);
    else this.#describe(type, sdp);
  }

  say(text) {
    return this.#channel.isOpen() && this.#channel.sendMessage(text);
  }

  close() {
    this.#pc.close();
  }

  #describe(type, sdp) {
    this.#pc.setRemoteDescription(sdp, type);
    this.#remote = sdp;
    if (type === 'offer') this.#pc.setLocalDescription('answer');
    for (const message of this.#candidates.splice(0)) this.#send(message);
  }

  /** Waits for the peer's description: on a fast network, its DTLS handshake could otherwise arrive before its fingerprint. */
  #sendCandidate(message) {
    if (this.#remote) this.#send(message);
    else this.#candidates.push(message);
  }

  #addCandidate(candidate) {
    // The last one is null, and only browsers can resolve names in .local.
    const usable = candidate?.candidate && !candidate.candidate.includes('.local');
    if (usable && this.#remote) this.#pc.addRemoteCandidate(candidate.candidate, candidate.sdpMid);
  }
}

const identity = (sdp) => [/^a=fingerprint:.*/m, /^a=ice-ufrag:.*/m].map((line) => line.exec(sdp)?.[0]).join();

/** libdatachannel wants TURN credentials inside the URL. */
function withCredentials({ urls, username, credential }) {
  const user = username && `:${encodeURIComponent(username)}:${encodeURIComponent(credential)}@`;
  return [urls].flat().map((url) => (user ? url.replace(':', user) : url));
}
