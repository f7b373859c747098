// A libdatachannel peer that uses plain HTTP: peer.js BASE ROOM [own] [early] [relay], with the options of peer.py.
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';

import ndc from 'node-datachannel';

if (process.env.NDC_LOG) ndc.initLogger('Debug', (level, text) => process.stderr.write(`${level} ${text}\n`));
const [base, room, ...options] = process.argv.slice(2);
const root = `${base}/v1/rooms/${room}`;
const tell = (event, more = {}) => process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
const fingerprint = (sdp) => /a=fingerprint:.*/.exec(sdp)[0];

async function ask(method, url, token, body, cursor, signal) {
  const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
  if (token) headers.authorization = `Bearer ${token}`;
  if (cursor !== undefined) headers['last-event-id'] = String(cursor);
  const answer = await fetch(url, { method, headers, body: body && JSON.stringify(body), signal });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  const text = await answer.text();
  return text ? JSON.parse(text) : undefined;
}

/** One seat in the room, and a connection with the other peer. */
class Peer {
  #life = new AbortController();
  #pc = null;
  #channel = null;
  #opened;
  #remote = null;
  #tracks = [];
  /**
   * Candidates that wait for the answer. Otherwise, on loopback, the browser's certificate may arrive before libdatachannel has
   * stored the fingerprint from the answer ("unknown CA").
   */
  #late = [];
  #posting = Promise.resolve();

  async join() {
    const joined = await ask('POST', `${root}/peers`, undefined, { name: 'libdatachannel' });
    Object.assign(this, { me: joined.peer.id, token: joined.token, cursor: joined.cursor, servers: joined.ice_servers });
    tell('joined', { peer: this.me });
    void this.#poll().catch((error) => this.#life.signal.aborted || tell('error', { text: String(error) }));
    for (const { id } of joined.peers) {
      this.other = id;
      this.#connect();
      this.#pc.setLocalDescription('offer');
    }
  }

  #connect() {
    const pc = new ndc.PeerConnection(this.me, { ...this.#relays(), bindAddress: '127.0.0.1', disableAutoNegotiation: true });
    this.#pc = pc;
    this.#remote = null;
    const early = [];
    this.#late = [];
    let described = false;
    pc.onLocalDescription((sdp, type) => {
      const describe = () => {
        described = true;
        tell('said', { type });
        this.#post(...early.splice(0), { type, sdp });
      };
      // Candidates go in the order of gathering.
      if (options.includes('early') && !described) setTimeout(describe, 300);
      else describe();
    });
    pc.onLocalCandidate((candidate, sdpMid) => {
      const message = { type: 'candidate', candidate: { candidate, sdpMid } };
      if (options.includes('early') && !described) early.push(message);
      else if (this.#remote) this.#post(message);
      else this.#late.push(message);
    });
    pc.onStateChange((state) => tell('state', { state }));
    pc.onTrack((track) => tell('track', { kind: track.type() }) ?? this.#tracks.push(track));
    this.#listen(options.includes('own') ? pc.createDataChannel('chat') : pc.createDataChannel('chat', { negotiated: true, id: 0 }));
  }

  /** Over UDP, the only way that libjuice has. */
  #relays() {
    if (!options.includes('relay')) return { iceServers: [] };
    const relay = this.servers.find(({ credential }) => credential);
    const [, hostname, port] = /^turn:([^:]+):(\d+)/.exec(relay.urls[0]);
    const server = { hostname, port: Number(port), username: relay.username, password: relay.credential, relayType: 'TurnUdp' };
    return { iceServers: [server], iceTransportPolicy: 'relay' };
  }

  #listen(channel) {
    this.#channel = channel;
    this.#opened = new Promise((resolve) => channel.onOpen(resolve));
    channel.onMessage((text) => tell('heard', { text: String(text) }));
  }

  #post(...messages) {
    if (messages.length === 0) return;
    const body = { messages: messages.map((message) => ({ to: this.other, ...message })) };
    this.#posting = this.#posting.then(() => ask('POST', `${root}/messages`, this.token, body)).catch((error) => tell('error', { text: String(error) }));
  }

  async #poll() {
    const { signal } = this.#life;
    while (!signal.aborted) {
      const batch = await ask('GET', `${root}/peers/${this.me}/messages?wait=5`, this.token, undefined, this.cursor, signal);
      this.cursor = batch.cursor;
      for (const message of batch.messages) this.#take(message);
    }
  }

  #take(message) {
    if (message.type === 'offer' || message.type === 'answer') this.#described(message);
    else if (message.type === 'candidate' && message.candidate?.candidate && !/\.local/.test(message.candidate.candidate)) {
      // Candidates of a closed connection are ignored.
      if (this.#remote) this.#pc?.addRemoteCandidate(message.candidate.candidate, message.candidate.sdpMid);
    } else if (message.type === 'bye' || message.type === 'peer-left') {
      tell('left');
      this.#close();
    }
  }

  #described({ from, type, sdp }) {
    this.other = from;
    if (type === 'offer' && fingerprint(sdp) !== (this.#remote && fingerprint(this.#remote))) {
      this.#close();
      this.#connect();
    }
    tell('took', { type });
    this.#remote = sdp;
    try {
      this.#pc.setRemoteDescription(sdp, type);
    } catch {
      // libdatachannel cannot restart ICE ("Invalid ICE settings"), so it opens a new connection.
      this.#close();
      this.#connect();
      return this.#pc.setLocalDescription('offer');
    }
    if (type === 'offer') this.#pc.setLocalDescription('answer');
    this.#post(...this.#late.splice(0));
  }

  #close() {
    this.#pc?.close();
    this.#pc = null;
  }

  async say(text) {
    await this.#opened;
    if (!this.#channel.sendMessage(text)) tell('error', { text: 'not sent' });
  }

  mic() {
    const audio = new ndc.Audio('mic', 'SendRecv');
    audio.addOpusCodec(111);
    audio.addSSRC(42, 'mic');
    this.#tracks.push(this.#pc.addTrack(audio));
    this.#pc.setLocalDescription('offer');
  }

  async leave() {
    this.#life.abort();
    this.#close();
    await ask('DELETE', `${root}/peers/${this.me}`, this.token);
    tell('gone');
  }
}

let peer;
for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...rest] = JSON.parse(line);
  if (name === 'join') peer = new Peer();
  await peer[name](...rest);
}
process.exit();
