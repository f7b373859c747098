import assert from 'node:assert/strict';

import { join } from '../../../web/client/index.js';
import { FakeClock, settled } from './clock.js';

export const BASE = 'https://signal.example/';

/** A request that waits until the test answers it. */
class Asked {
  constructor(url, init) {
    this.method = init.method;
    this.url = new URL(url);
    this.line = `${init.method} ${this.url.pathname}`;
    this.headers = init.headers;
    this.init = init;
    this.text = init.body;
    this.body = init.body === undefined ? undefined : JSON.parse(init.body);
    this.aborted = false;
    this.outcome = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    init.signal.addEventListener('abort', () => {
      this.aborted = true;
      this.reject(new DOMException('aborted', 'AbortError'));
    });
  }

  /** Answers as the server would. */
  async answer(status, body, headers = {}) {
    const text = body === undefined ? null : JSON.stringify(body);
    this.resolve(new Response(text, { status, headers: { 'Content-Type': 'application/json', ...headers } }));
    await settled();
  }

  /** Refuses as the server would. */
  async refuse(status, slug, extras = {}, headers = {}) {
    const body = { type: `/problems/${slug}`, title: slug, status, detail: slug, ...extras };
    await this.answer(status, body, { 'Content-Type': 'application/problem+json', ...headers });
  }

  /** Answers as an intermediary would. */
  async intercept(status, text = '<html>Bad gateway</html>', headers = {}) {
    this.resolve(new Response(text, { status, headers: { 'Content-Type': 'text/html', ...headers } }));
    await settled();
  }

  /** Cuts the connection. */
  async cut() {
    this.reject(new TypeError('Failed to fetch'));
    await settled();
  }
}

/** Everything outside the client, under the test's control. */
export class World {
  clock = new FakeClock();
  page = new EventTarget();
  stored = new Map();
  beacons = [];
  open = [];
  keys = 0;

  environment = {
    clock: this.clock,
    page: this.page,
    random: () => 0.5,
    uuid: () => `00000000-0000-4000-8000-${String((this.keys += 1)).padStart(12, '0')}`,
    beacon: (url, body) => this.beacons.push({ url, body }) > 0,
    storage: {
      getItem: (key) => this.stored.get(key) ?? null,
      setItem: (key, value) => void this.stored.set(key, value),
      removeItem: (key) => void this.stored.delete(key),
    },
    fetch: (url, init) => {
      const asked = new Asked(url, init);
      this.open.push(asked);
      return asked.outcome;
    },
  };

  join(options = {}) {
    return join(BASE, 'tea', { ...this.environment, ...options });
  }

  /** The first matching request that the test has not taken yet. */
  async asked(line) {
    await settled();
    this.open = this.open.filter(({ aborted }) => !aborted);
    const at = this.open.findIndex((asked) => asked.line === line);
    assert.ok(at >= 0, `${line} was expected, not ${this.open.map((asked) => asked.line).join(', ') || 'nothing'}`);
    return this.open.splice(at, 1)[0];
  }

  /** Asserts that the test has taken all requests. */
  async quiet() {
    await settled();
    assert.deepEqual(this.open.filter(({ aborted }) => !aborted).map(({ line }) => line), []);
  }

  /** Joins as Ann and has the first poll held. */
  async entered(answer = {}, options = {}) {
    const joining = this.join(options);
    await (await this.asked(JOIN)).answer(answer.status ?? 201, joined(answer));
    const room = await joining;
    const events = [];
    for (const name of ['state', 'peer-joined', 'peer-left', 'message', 'room-closed', 'resumed']) {
      room.on(name, (detail) => events.push({ name, detail }));
    }
    return { room, events, poll: await this.asked(poll()) };
  }
}

export const JOIN = 'POST /v1/rooms/tea/peers';
export const SEND = 'POST /v1/rooms/tea/messages';
export const poll = (peer = 'ann') => `GET /v1/rooms/tea/peers/${peer}/messages`;

export const peer = (id, order = 0) => ({ id, name: id[0].toUpperCase() + id.slice(1), metadata: {}, order });

export function joined({ self = peer('ann', 1), peers = [], cursor = 0, latest = cursor, ...more } = {}) {
  const { status, ...rest } = more;
  return {
    room: 'tea',
    created: peers.length === 0,
    peer: self,
    token: `token-of-${self.id}`,
    cursor,
    latest,
    peers,
    polite: true,
    ice_servers: [],
    ice_ttl_s: null,
    lease_ms: 45_000,
    wait_max_ms: 55_000,
    ...rest,
  };
}

/** The events, in short form. */
export function names(events) {
  return events.map(({ name, detail }) => (name === 'state' ? detail.state : name));
}
