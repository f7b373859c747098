import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';

import { freePort } from '../../e2e/support/free-port.js';

/** Takes a port for the duration of a test. */
async function take(t, kind) {
  const port = await freePort();
  const socket = kind === 'tcp' ? createServer().listen(port, '127.0.0.1') : createSocket('udp4').bind(port, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return port;
}

// Regression: where a port was taken, the test that asked for one failed.
for (const kind of ['tcp', 'udp']) {
  test(`a port that is taken over ${kind} is not given`, async (t) => {
    const taken = await take(t, kind);
    const { random } = Math;
    const tried = [];
    t.mock.method(Math, 'random', () => {
      tried.push(taken);
      return tried.length === 1 ? (taken - 10_000 + 0.5) / 20_000 : random();
    });
    assert.notEqual(await freePort(), taken);
    assert.ok(tried.length > 1);
  });
}
