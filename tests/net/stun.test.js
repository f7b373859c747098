import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { before, test } from 'node:test';

import { Server } from '../e2e/support/server.js';

const OWN = ['fd00::5', 'fd00::6'];

before(() => {
  for (const address of OWN) execFileSync('ip', ['-6', 'addr', 'add', `${address}/128`, 'dev', 'lo', 'nodad']);
});

/** Sends a request from a connected socket, as browsers do: it only receives datagrams from the address that was asked. */
async function ask(from, address, port) {
  const socket = createSocket('udp6');
  socket.bind(0, from);
  await once(socket, 'listening');
  socket.connect(port, address);
  await once(socket, 'connect');
  const answered = once(socket, 'message', { signal: AbortSignal.timeout(20_000) });
  const again = setInterval(() => socket.send(Buffer.from('000100002112a442000102030405060708090a0b', 'hex')), 300);
  try {
    const [answer] = await answered;
    // A Binding success response (RFC 8489 section 5).
    assert.equal(answer.readUInt16BE(0), 0x0101);
  } finally {
    clearInterval(again);
    socket.close();
  }
}

// RFC 8489, section 6.3.1.2. Regression: on a host with several addresses the kernel chose the source address of the response.
for (const listen of ['[::]:0', `[${OWN[0]}]:0`]) {
  test(`STUN on ${listen} answers from the IPv6 address that was asked`, async () => {
    const server = await Server.start(['--stun-listen', listen]);
    const joined = await (await fetch(`${server.base}/v1/rooms/tea/peers`, { method: 'POST' })).json();
    const port = Number(joined.ice_servers[0].urls[0].split(':').at(-1));
    const asked = listen.startsWith('[::]') ? ['::1', ...OWN] : [OWN[0]];
    for (const address of asked) for (const from of ['::1', ...OWN]) await ask(from, address, port);
    await server.stop();
  });
}
