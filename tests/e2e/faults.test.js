import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

import { join } from '../../web/client/index.js';
import { Server } from './support/server.js';

/** Every fault makes our client pause in real time: 50,000 would take minutes. */
const EACH_WAY = Number(process.env.FAULT_MESSAGES ?? 3000);

/** `tests/faults/proxy.js` in front of a server. */
async function faultProxy(server) {
  const script = new URL('../faults/proxy.js', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, '--upstream', new URL(server.base).host], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const [line] = await once(lines, 'line');
  const stop = async () => {
    child.kill('SIGTERM');
    return JSON.parse((await once(lines, 'line'))[0]);
  };
  return { base: line.replace('listening on ', ''), stop };
}

/** Resolves when all messages from the other have arrived, in order and once. */
function received(room, other) {
  return new Promise((resolve, reject) => {
    let next = 0;
    room.on('state', ({ state, error }) => state === 'closed' && reject(error ?? new Error('closed')));
    room.on('message', ({ from, data }) => {
      if (from !== other) return;
      if (data !== next) reject(new Error(`${data} came instead of ${next}`));
      next += 1;
      if (next === EACH_WAY) resolve();
    });
  });
}

test('of all messages that our client sends over a breaking wire none is lost, doubled or out of order', async () => {
  const server = await Server.start(['--rate-send', '0', '--rate-poll', '0']);
  const proxy = await faultProxy(server);
  const ann = await join(proxy.base, 'tea', { name: 'Ann' });
  const ben = await join(proxy.base, 'tea', { name: 'Ben' });
  const started = Date.now();
  const everything = [received(ann, ben.self.id), received(ben, ann.self.id)];
  let sent = 0;
  for (let number = 0; number < EACH_WAY; number += 1) {
    for (const [from, to] of [[ann, ben], [ben, ann]]) {
      everything.push(from.send(to.self.id, { type: 'data', data: number }).then(() => { sent += 1; }));
    }
  }
  await Promise.all(everything);
  assert.equal(sent, 2 * EACH_WAY);
  await Promise.all([ann.leave(), ben.leave()]);
  console.log(`${2 * EACH_WAY} messages in ${Date.now() - started} ms through`, await proxy.stop());
  await server.stop();
});
