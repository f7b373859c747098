import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Client } from '../../clients/conformance/kit/client.js';
import { Server } from '../../clients/conformance/kit/server.js';
import { join, newKey } from '../../web/client/index.js';
import { python, rust } from './kit.js';
import { deno } from './runtimes.js';

const KEY = newKey();
const adapter = (name) => new URL(`../../clients/conformance/adapters/${name}`, import.meta.url).pathname;
const ADAPTERS = {
  JavaScript: [process.execPath, adapter('javascript.js')],
  'JavaScript in Deno': [...deno, adapter('javascript.js')],
  Python: [python, adapter('python.py')],
  Rust: [rust],
};

const server = new Server();
before(() => server.start());
after(() => server.stop());

/** Starts a client as a process of its own. */
async function start(command, room, key) {
  const client = new Client(command, () => () => {});
  client.do({ do: 'join', base: server.base, room, name: 'hush-hush', key });
  return { client, ...(await client.next('joined')) };
}

/** Joins in this process, and notes all that is carried. */
async function member(room, carried) {
  const fetch = async (url, init) => {
    const response = await globalThis.fetch(url, init);
    carried.push(init.body ?? '', await response.clone().text());
    return response;
  };
  return join(server.base, room, { name: 'hush-hush', key: KEY, fetch, capacity: 3 });
}

const next = (room, name) => new Promise((resolve) => { const end = room.on(name, (detail) => { end(); resolve(detail); }); });

for (const [language, command] of Object.entries(ADAPTERS)) {
  test(`a sealed room with our client for ${language}, through the server, which sees nothing`, async () => {
    const [carried, name] = [[], language.replaceAll(' ', '-')];
    const room = await member(name, carried);
    const arrival = next(room, 'peer-joined');
    const { client, peer } = await start(command, name, KEY);
    assert.deepEqual([(await arrival).id, (await arrival).name], [peer, 'hush-hush']);
    for (let number = 0; number < 100; number += 1) {
      void room.send(number % 2 ? peer : null, { type: 'data', data: ['hush-hush', number] });
      client.do({ do: 'send', id: number, to: number % 2 ? room.self.id : null, data: { 'hush-hush': number } });
    }
    const heard = [];
    room.on('message', ({ data }) => heard.push(data['hush-hush']));
    for (let number = 0; number < 100; number += 1) assert.deepEqual((await client.next('received', { from: room.self.id })).data, ['hush-hush', number]);
    for (let number = 0; number < 100; number += 1) await client.next('sent', { id: number });
    const farewell = next(room, 'peer-left');
    client.do({ do: 'leave' });
    await farewell;
    assert.deepEqual(heard, Array.from({ length: 100 }, (_, number) => number));
    assert.equal(room.troubles.size, 0);
    assert.ok(!carried.join('').includes('hush-hush'));
    assert.equal(await client.exited(), 0);
    await room.leave();
  });

  for (const [key, trouble, why] of [[undefined, 'no key', 'unsealed'], [newKey(), 'another key', 'unreadable']]) {
    test(`our client for ${language} with ${trouble} is not heard, and hears nothing that was sealed`, async () => {
      const name = `${language.replaceAll(' ', '-')}-${why}`;
      const room = await member(name, []);
      const [said, refused] = [next(room, 'trouble'), next(room, 'refused')];
      const { client, peer } = await start(command, name, key);
      assert.equal((await said).trouble, trouble);
      client.do({ do: 'send', id: 1, to: room.self.id, data: 'let me in' });
      assert.equal((await refused).why, why);
      await room.send(peer, { type: 'data', data: 'hush-hush' });
      await room.leave();
      await client.next('left', { peer: room.self.id });
      client.do({ do: 'leave' });
      await client.exited();
      // Without a key it takes the sealed text for data.
      const received = client.unread('received').map(({ data }) => JSON.stringify(data));
      assert.equal(received.length, key ? 0 : 1);
      assert.ok(received.every((data) => /^\{"sealed":"1\.[\w-]+"\}$/.test(data)), received);
    });
  }
}
