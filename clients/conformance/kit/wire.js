import { createServer } from 'node:http';
import { once } from 'node:events';

import { bodyOf, forward, pass } from './faults.js';

/** @typedef {import('./server.js').Server} Server */

/** A request of the client under test. */
export class Exchange {
  /** Whether the server answered it, and what. @type {import('./faults.js').Answered | null} */
  answered = null;
  /** How long that took. */
  ms = 0;

  /** @param {import('./faults.js').Asked} asked */
  constructor(asked) {
    this.asked = asked;
    this.at = performance.now();
  }

  get path() {
    return this.asked.url.split('?')[0];
  }

  get isJoin() {
    return this.asked.method === 'POST' && this.path.endsWith('/peers');
  }

  get isPoll() {
    return this.asked.method === 'GET' && this.path.endsWith('/messages');
  }

  get isPost() {
    return this.asked.method === 'POST' && this.path.endsWith('/messages');
  }

  get key() {
    return this.asked.headers['idempotency-key'];
  }

  /** What the poll acknowledges: `after` takes precedence. */
  get cursor() {
    const after = new URL(this.asked.url, 'http://kit').searchParams.get('after') ?? this.asked.headers['last-event-id'];
    return after === undefined ? null : Number(after);
  }

  get token() {
    return String(this.asked.headers.authorization ?? '').replace('Bearer ', '');
  }

  toString() {
    return `${this.asked.method} ${this.path.replace(/^.*\/v1\/rooms\/[^/]+/, '')}`;
  }
}

/** @typedef {(exchange: Exchange, ask: () => Promise<any>, answer: import('node:http').ServerResponse) => unknown} Rule */

/** @type {Rule} */
export const passing = async (exchange, ask, answer) => pass(answer, await ask());

/** Stands between the client under test and the server, does to each exchange what its rule says, and remembers all of them. */
export class Wire {
  /** @type {Exchange[]} */
  seen = [];
  /** @type {Rule} */
  rule = passing;
  /** @type {Set<() => void>} */
  #watching = new Set();

  /** @param {Server} server */
  static async start(server) {
    const wire = new Wire();
    wire.server = server;
    wire.listener = createServer((asked, answer) => void wire.#take(asked, answer));
    wire.listener.keepAliveTimeout = 60_000;
    wire.listener.listen(0, '127.0.0.1');
    await once(wire.listener, 'listening');
    wire.base = `http://127.0.0.1:${wire.listener.address().port}`;
    return wire;
  }

  async #take(asked, answer) {
    const gone = new AbortController();
    answer.on('close', () => answer.writableFinished || gone.abort());
    try {
      const { method, url, headers } = asked;
      const body = await bodyOf(asked);
      const exchange = new Exchange({ method, url, headers, body });
      this.seen.push(exchange);
      this.#tell();
      const ask = async () => {
        exchange.answered = await forward(this.server.host, exchange.asked, gone.signal);
        exchange.ms = performance.now() - exchange.at;
        this.#tell();
        return exchange.answered;
      };
      await this.rule(exchange, ask, answer);
    } catch {
      answer.socket?.destroy();
    }
  }

  #tell() {
    for (const look of [...this.#watching]) look();
  }

  /** Resolves when this is true of what was seen. @param {() => boolean} condition */
  async until(condition) {
    while (!condition()) {
      await new Promise((resolve) => {
        const look = () => (this.#watching.delete(look), resolve(undefined));
        this.#watching.add(look);
      });
    }
  }

  stop() {
    this.listener.closeAllConnections();
    this.listener.close();
  }
}
