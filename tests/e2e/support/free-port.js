import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** The system takes none of these for a connection, or for somebody who asks for any port (Linux: from 32768). */
const [FIRST, COUNT] = [10_000, 20_000];

/** @param {import('node:net').Server | import('node:dgram').Socket} socket @param {() => void} bind */
async function isFree(socket, bind) {
  // Rejects on the event `error`.
  const bound = once(socket, 'listening').then(() => true, () => false);
  bind();
  if (!await bound) return false;
  await new Promise((resolve) => { socket.close(resolve); });
  return true;
}

/** A port of 127.0.0.1 that nobody has over TCP or UDP, and that stays free between two starts of a server. */
export async function freePort() {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    const tcp = createServer();
    const udp = createSocket('udp4');
    if (await isFree(tcp, () => tcp.listen(port, '127.0.0.1')) && await isFree(udp, () => udp.bind(port, '127.0.0.1'))) return port;
  }
}
