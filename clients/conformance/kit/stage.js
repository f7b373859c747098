import { Client } from './client.js';
import { Failure } from './failure.js';
import { Peer } from './peer.js';
import { Server } from './server.js';
import { Wire } from './wire.js';

let rooms = 0;

/** What a scenario has: a server, wires to it, instances of the client under test, and members of the kit's own. */
export class Stage {
  #ends = [];
  /** What is waited for at the moment. @type {Set<() => string>} */
  #waiting = new Set();

  /** @param {string[]} command of the client under test @param {{ messages: number, patience: number }} sizes */
  constructor(command, sizes) {
    this.command = command;
    this.sizes = sizes;
    this.room = `conformance-${rooms += 1}`;
  }

  /** @param {string[]} flags */
  async server(flags = []) {
    const server = await new Server(flags).start();
    this.#ends.push(() => server.kill());
    return server;
  }

  /** @param {Server} server @param {import('./wire.js').Rule} [rule] */
  async wire(server, rule) {
    const wire = await Wire.start(server);
    if (rule) wire.rule = rule;
    this.#ends.push(() => wire.stop());
    return wire;
  }

  /** Starts the client under test. */
  start() {
    const client = new Client(this.command, (describe) => this.waits(describe));
    this.#ends.push(() => client.kill());
    return client;
  }

  /** Starts the client under test and waits until it has joined. @param {string} base @param {object} [more] */
  async client(base, more = {}) {
    const client = this.start();
    client.do({ do: 'join', base, room: this.room, name: 'client', ...more });
    const { peer, peers, seat } = await client.next('joined', {}, 'refused');
    return Object.assign(client, { id: peer, peers, seat });
  }

  /** @param {Server} server @param {object} [wishes] */
  peer(server, wishes) {
    return Peer.join(server.base, this.room, wishes);
  }

  /** @param {() => string} describe what should have happened by now */
  waits(describe) {
    this.#waiting.add(describe);
    return () => this.#waiting.delete(describe);
  }

  /** Waits for something, and describes it if the scenario runs out of time. */
  async awaits(what, promise) {
    const done = this.waits(() => what);
    try {
      return await promise;
    } finally {
      done();
    }
  }

  /** @param {number} ms */
  pause(ms) {
    return new Promise((resolve) => { setTimeout(resolve, ms); });
  }

  /** Runs a scenario within its time. */
  async run({ run, seconds: usual = 120 }) {
    const seconds = Math.min(usual, this.sizes.patience);
    let timer;
    const silence = new Promise((_, reject) => {
      timer = setTimeout(() => {
        const what = [...this.#waiting].map((describe) => describe()).join('; ') || 'nothing happened';
        reject(new Failure('silence', `for ${seconds} s: ${what}`, 'that, within this time'));
      }, seconds * 1000);
    });
    try {
      return await Promise.race([run(this), silence]);
    } finally {
      clearTimeout(timer);
      await Promise.all(this.#ends.map((end) => end()));
    }
  }
}
