import { join } from '../../../web/client/index.js';
import { FakeClock } from './clock.js';
import { FakeMediaStream, FakePeerConnection } from './peer-connection.js';
import { BASE } from './world.js';

const problem = (status, slug) =>
  new Response(JSON.stringify({ type: `/problems/${slug}`, title: slug, status, detail: slug }), { status, headers: { 'Content-Type': 'application/problem+json' } });

/** A server in memory, which a test can make hostile. It answers as soon as there is something to answer with. */
export class Relay {
  clock = new FakeClock();
  /** By token. @type {Map<string, { card: any, mail: any[], wake: () => void }>} */
  #seats = new Map();
  #joins = 0;
  /** All that it has seen. */
  carried = '';
  /** What it puts into a mailbox in place of a message: any number, in any order. */
  passing = (message, to) => [message];
  /** Waited for before a join is answered. */
  joining = async () => {};
  /** Whether peers have to ask for their TURN credentials, and what is waited for before they get them. */
  withholds = false;
  equipping = async () => {};

  environment(options = {}) {
    return { clock: this.clock, fetch: (url, init) => this.#fetch(new URL(url), init), RTCPeerConnection: FakePeerConnection, MediaStream: FakeMediaStream, page: undefined, ...options };
  }

  /** A member, and what its room and call tell. */
  async member(name, options = {}) {
    const stored = options.stored ?? new Map();
    const storage = { getItem: (key) => stored.get(key) ?? null, setItem: (key, value) => stored.set(key, value), removeItem: (key) => stored.delete(key) };
    return new Member(await join(BASE, 'tea', this.environment({ name, storage, ...options })), stored);
  }

  /** As after a restart with another token key. */
  forget() {
    const all = [...this.#seats.values()];
    this.#seats.clear();
    for (const { wake } of all) wake();
  }

  /** Puts a message into a peer's mailbox. */
  deliver(to, message) {
    const seat = [...this.#seats.values()].find(({ card }) => card.id === to);
    seat.mail.push({ seq: seat.mail.length + 1, ...message });
    seat.wake();
  }

  async #fetch({ pathname }, { method, headers, body, signal }) {
    this.carried += body ?? '';
    const token = headers.Authorization?.slice('Bearer '.length);
    const last = pathname.split('/').at(-1);
    if (method === 'POST' && last === 'peers') {
      await this.joining();
      return this.#answer(...this.#join(token, JSON.parse(body)));
    }
    const seat = this.#seats.get(token);
    if (!seat) return problem(401, 'token-invalid');
    if (method === 'DELETE') return this.#leave(token);
    if (last === 'ice-servers') {
      await this.equipping();
      return this.#answer(200, { ice_servers: [], ttl_s: 600 });
    }
    if (method === 'POST') return this.#answer(202, { accepted: JSON.parse(body).messages.flatMap((one) => this.#post(seat, one)) });
    return this.#poll(token, Number(headers['Last-Event-ID']), signal);
  }

  #answer(status, document) {
    const text = JSON.stringify(document);
    this.carried += text;
    return new Response(text, { status, headers: { 'Content-Type': 'application/json' } });
  }

  #join(token, { name = '', metadata = {} }) {
    const known = this.#seats.get(token);
    const order = (this.#joins += 1);
    const id = `${String(order).padStart(8, '0')}-0000-4000-8000-000000000000`;
    const seat = known ?? { card: { id, name, metadata, order }, mail: [], wake: () => {} };
    const others = [...this.#seats.values()].filter((one) => one !== seat);
    if (!known) for (const { card } of others) this.deliver(card.id, { type: 'peer-joined', peer: seat.card });
    const mine = known ? token : `token-${order}`;
    this.#seats.set(mine, seat);
    const peers = others.map(({ card }) => card);
    const cursor = seat.mail.length;
    const more = { polite: true, ice_servers: [], ice_ttl_s: this.withholds ? 0 : null, lease_ms: 45_000, wait_max_ms: 55_000 };
    return [known ? 200 : 201, { room: 'tea', created: peers.length === 0, peer: seat.card, token: mine, cursor, latest: cursor, peers, ...more }];
  }

  #leave(token) {
    const { card } = this.#seats.get(token);
    this.#seats.delete(token);
    for (const one of this.#seats.values()) this.deliver(one.card.id, { type: 'peer-left', peer: card.id, reason: 'left' });
    return new Response(null, { status: 204 });
  }

  #post(seat, { to, ...message }) {
    const receivers = [...this.#seats.values()].map(({ card }) => card.id).filter((id) => (to ? id === to : id !== seat.card.id));
    for (const id of receivers) for (const one of this.passing({ from: seat.card.id, ...message }, id)) this.deliver(id, one);
    return receivers.map((id) => ({ to: id, seq: 1 }));
  }

  async #poll(token, cursor, signal) {
    for (;;) {
      const seat = this.#seats.get(token);
      if (!seat) return problem(401, 'token-invalid');
      const messages = seat.mail.filter(({ seq }) => seq > cursor);
      if (messages.length > 0) return this.#answer(200, { messages, cursor: messages.at(-1).seq });
      await new Promise((resolve, reject) => {
        seat.wake = resolve;
        signal.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
      });
    }
  }
}

const EVENTS = ['message', 'peer-joined', 'peer-left', 'resumed', 'state', 'refused', 'trouble', 'wire'];
const CALL_EVENTS = ['link', 'verified', 'data', 'bye'];

class Member {
  #seen = [];
  #more = () => {};

  constructor(room, stored) {
    this.room = room;
    this.stored = stored;
    this.id = room.self.id;
    this.#listen(room, EVENTS);
  }

  #listen(emitter, names) {
    for (const name of names) {
      emitter.on(name, (detail) => {
        this.#seen.push({ name, detail });
        this.#more();
      });
    }
  }

  calls(options) {
    this.call = this.room.call(options);
    this.#listen(this.call, CALL_EVENTS);
    return this.call;
  }

  link(other) {
    return this.call.links.get(other.id);
  }

  /** The next event of a name, past ones included unless already returned. */
  async next(name, wanted = () => true) {
    for (;;) {
      const at = this.#seen.findIndex((one) => one.name === name && wanted(one.detail));
      if (at >= 0) return this.#seen.splice(at, 1)[0].detail;
      await new Promise((resolve) => { this.#more = resolve; });
    }
  }

  /** Those that were not returned yet. */
  left(name) {
    return this.#seen.filter((one) => one.name === name).map(({ detail }) => detail);
  }
}

/** Two members in a call, connected as far as signaling goes. */
export async function connect(one, other) {
  for (const [from, to] of [[one, other], [other, one]]) {
    await from.next('verified', ({ peer }) => peer.id === to.id);
    from.link(to).pc.connect();
    await from.next('link', ({ state }) => state === 'connected');
  }
}
