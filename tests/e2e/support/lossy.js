import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** A way to a UDP port on this machine on which packets get lost, both ways. */
export class LossyWay {
  /** Every how many packets one is lost; 0: none. */
  every = 0;
  #count = 0;
  #near = createSocket('udp4');
  /** Sockets towards the port, by the sender's port. @type {Map<number, import('node:dgram').Socket>} */
  #far = new Map();

  /** @param {number} to the port */
  static async start(to) {
    const way = new LossyWay();
    way.#near.on('message', (packet, { port }) => way.#pass(() => way.#towards(to, port).send(packet, to, '127.0.0.1')));
    way.#near.bind(0, '127.0.0.1');
    await once(way.#near, 'listening');
    way.port = way.#near.address().port;
    return way;
  }

  stop() {
    for (const socket of [this.#near, ...this.#far.values()]) socket.close();
  }

  #towards(to, from) {
    const known = this.#far.get(from);
    if (known) return known;
    const socket = createSocket('udp4');
    socket.on('message', (packet) => this.#pass(() => this.#near.send(packet, from, '127.0.0.1')));
    this.#far.set(from, socket);
    return socket;
  }

  #pass(send) {
    this.#count += 1;
    if (this.every === 0 || this.#count % this.every !== 0) send();
  }
}
