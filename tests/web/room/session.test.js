import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Problem } from '../../../web/client/wire/problem.js';
import { settled } from '../support/clock.js';
import { JOIN, World, joined, peer, poll } from '../support/world.js';

const KEY = 'signalpost:https://signal.example/v1/rooms/tea';
const seat = (world) => JSON.parse(world.stored.get(KEY) ?? 'null');

function withSeat(id = 'ann') {
  const world = new World();
  world.stored.set(KEY, JSON.stringify({ peer: id, token: `token-of-${id}` }));
  return world;
}

test('a join says what is wished for, and keeps the seat', async () => {
  const world = new World();
  const joining = world.join({ name: 'Ann', capacity: 4 });
  const asked = await world.asked(JOIN);
  const { page, ...wishes } = asked.body;
  assert.deepEqual(wishes, { name: 'Ann', capacity: 4 });
  assert.match(page, /^.{8,64}$/, 'two tabs could not be told apart');
  assert.equal(asked.headers.Authorization, undefined);
  await asked.answer(201, joined({ peers: [peer('ben')], room_token: 'key-of-the-room' }));
  const room = await joining;
  assert.deepEqual([room.self.id, [...room.peers.keys()], room.state], ['ann', ['ben'], 'connected']);
  assert.deepEqual(seat(world), { peer: 'ann', token: 'token-of-ann', roomToken: 'key-of-the-room' });
});

test('a lost answer is asked for again under the same key, with the same bytes', async () => {
  const world = new World();
  const retries = [];
  const joining = world.join({ onRetry: (retry) => retries.push(retry) });
  const first = await world.asked(JOIN);
  await first.cut();
  assert.deepEqual([retries[0].failures, retries[0].delayMs], [1, 250]);
  await world.clock.advance(250);
  const second = await world.asked(JOIN);
  assert.equal(second.headers['Idempotency-Key'], first.headers['Idempotency-Key']);
  assert.equal(second.text, first.text);
  await second.answer(201, joined());
  assert.equal((await joining).self.id, 'ann');
});

test('coming online again ends the pause', async () => {
  const world = new World();
  void world.join();
  await (await world.asked(JOIN)).cut();
  await world.quiet();
  world.page.dispatchEvent(new Event('online'));
  await world.asked(JOIN);
});

test('a kept seat is taken again', async () => {
  const world = withSeat();
  const joining = world.join();
  const asked = await world.asked(JOIN);
  assert.equal(asked.headers.Authorization, 'Bearer token-of-ann');
  await asked.answer(200, joined({ cursor: 4, latest: 6 }));
  await joining;
  assert.equal((await world.asked(poll())).headers['Last-Event-ID'], '4');
});

test('a seat that the server does not recognise is dropped, and a new one taken under a new key', async () => {
  const world = withSeat('old');
  const joining = world.join();
  const first = await world.asked(JOIN);
  await first.refuse(401, 'token-invalid');
  const second = await world.asked(JOIN);
  assert.equal(second.headers.Authorization, undefined);
  assert.notEqual(second.headers['Idempotency-Key'], first.headers['Idempotency-Key']);
  await second.answer(201, joined());
  assert.equal((await joining).self.id, 'ann');
  assert.equal(seat(world).peer, 'ann');
});

for (const [status, slug] of [[403, 'kicked'], [410, 'room-closed']]) {
  test(`${slug}: the seat is dropped and the join fails`, async () => {
    const world = withSeat();
    const joining = world.join();
    joining.catch(() => {});
    await (await world.asked(JOIN)).refuse(status, slug);
    await assert.rejects(joining, (error) => error instanceof Problem && error.slug === slug);
    assert.equal(seat(world), null);
    await world.quiet();
  });
}

test('a full room fails the join and keeps the seat for a later try', async () => {
  const world = withSeat();
  const joining = world.join();
  joining.catch(() => {});
  await (await world.asked(JOIN)).refuse(409, 'room-full', { frees_in_ms: 12_000 });
  await assert.rejects(joining, { slug: 'room-full' });
  assert.equal(seat(world).peer, 'ann');
});

test('a seat without a name or without a token is no seat either', async () => {
  for (const half of [{ token: 't' }, { peer: 'ann' }]) {
    const world = new World();
    world.stored.set(KEY, JSON.stringify(half));
    void world.join();
    assert.equal((await world.asked(JOIN)).headers.Authorization, undefined);
  }
});

test('a seat that was scribbled over is no seat', async () => {
  const world = new World();
  world.stored.set(KEY, '{"token":');
  void world.join();
  assert.equal((await world.asked(JOIN)).headers.Authorization, undefined);
});

test('a storage that refuses costs nothing but the refresh', async () => {
  const world = new World();
  world.environment.storage.setItem = () => {
    throw new DOMException('full', 'QuotaExceededError');
  };
  const joining = world.join();
  await (await world.asked(JOIN)).answer(201, joined());
  assert.equal((await joining).self.id, 'ann');
});

test('a join can be given up', async () => {
  const world = new World();
  const controller = new AbortController();
  const joining = world.join({ signal: controller.signal });
  joining.catch(() => {});
  const asked = await world.asked(JOIN);
  controller.abort(new Error('never mind'));
  await assert.rejects(joining, /never mind/);
  assert.equal(asked.aborted, true);
  await settled();
  await world.quiet();
});
