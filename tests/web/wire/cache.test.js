import assert from 'node:assert/strict';
import { test } from 'node:test';

import { received } from '../../../web/client/room/room-state.js';
import { World, names, poll } from '../support/world.js';

const data = (seq) => ({ seq, from: 'ben', type: 'data', data: seq });
const batch = (...seqs) => ({ messages: seqs.map(data), cursor: Math.max(...seqs) });
const cursor = (asked) => asked.headers['Last-Event-ID'];

/** Answers all polls for this long, and counts them. */
async function replay(world, answer, ms) {
  let polls = 0;
  for (let passed = 0; passed < ms; passed += 250) {
    await world.clock.advance(250);
    for (const asked of world.open.splice(0)) {
      if (asked.aborted || asked.line !== poll()) continue;
      polls += 1;
      await asked.answer(200, answer);
    }
  }
  return polls;
}

/** Responses that the server cannot have sent to a peer that has read up to 2. */
const old = [
  ['the one from before', batch(1, 2)],
  ['one from long before', { messages: [], cursor: 0 }],
  ['an old message with a new cursor', { messages: [data(2)], cursor: 3 }],
  ['a new message with an old cursor', { messages: [data(3)], cursor: 2 }],
  ['one without a cursor', { messages: [] }],
  ['something else', { messages: 'none', cursor: 9 }],
  // These ended the seat and the call: the client's error was taken for the end of the room.
  ['nothing instead of a message', { messages: [null], cursor: 9 }],
  ['a message without a number', { messages: [{ ...data(3), seq: null }], cursor: 9 }],
  ['text instead of numbers', { messages: [{ ...data(3), seq: '3' }], cursor: '3' }],
];

for (const [name, answer] of old) {
  // Regression: a cache-first service worker repeated an old poll: 250 polls a second, in state `connected`, and the cursor went back.
  test(`out of a cache, and not the server's: ${name}`, async () => {
    const world = new World();
    const { room, events, poll: first } = await world.entered();
    await first.answer(200, batch(1, 2));
    await (await world.asked(poll())).answer(200, answer);
    assert.deepEqual([room.state, events.at(-1).detail.error?.reason], ['reconnecting', 'stale']);
    const polls = await replay(world, answer, 60_000);
    assert.ok(polls <= 30, `${polls} polls in a minute`);
    assert.deepEqual(names(events), ['message', 'message', 'reconnecting'], 'delivered twice');
    await world.clock.advance(8_000);
    const asked = await world.asked(poll());
    assert.equal(cursor(asked), '2', 'the cursor went back');
    await asked.answer(200, { messages: [data(3)], cursor: 3 });
    assert.deepEqual(names(events).slice(3), ['connected', 'message']);
  });
}

test('after one old answer every question has an address of its own, until the network is another one', async () => {
  const world = new World();
  const { poll: first } = await world.entered();
  await first.answer(200, batch(1));
  await (await world.asked(poll())).answer(200, batch(1));
  await world.clock.advance(8_000);
  const second = await world.asked(poll());
  assert.equal(second.url.searchParams.get('wait'), '25', 'it may be the server that is asked, which then holds it');
  await second.answer(200, { messages: [data(2)], cursor: 2 });
  const third = await world.asked(poll());
  assert.equal(new Set([first, second, third].map(({ url }) => url.href)).size, 3);
  world.page.dispatchEvent(new Event('online'));
  assert.equal((await world.asked(poll())).url.href, first.url.href);
});

test('an empty answer that was not held is asked for at another address, too', async () => {
  const world = new World();
  const { poll: first } = await world.entered();
  await first.answer(200, { messages: [], cursor: 0 });
  await world.clock.advance(500);
  assert.notEqual((await world.asked(poll())).url.href, first.url.href);
});

test('an old answer repeated forever costs some polls a minute', async () => {
  const world = new World();
  await world.entered();
  const polls = await replay(world, { messages: [], cursor: 0 }, 60_000);
  assert.ok(polls <= 30, `${polls} polls`);
});

test('an empty answer with an old date is known for what it is', async () => {
  const world = new World();
  const { room, poll: first } = await world.entered();
  const headers = { Date: 'Sat, 28 Nov 2026 12:00:00 GMT' };
  const nothing = { messages: [], cursor: 0 };
  await first.answer(200, nothing, headers);
  for (const state of ['connected', 'reconnecting']) {
    await world.clock.advance(1_500);
    await (await world.asked(poll())).answer(200, nothing, headers);
    assert.equal(room.state, state);
    await world.clock.advance(500);
  }
  await world.clock.advance(8_000);
  await (await world.asked(poll())).answer(200, nothing, { Date: 'Sat, 28 Nov 2026 12:00:15 GMT' });
  assert.equal(room.state, 'connected');
});

test('a server that holds nothing is not asked without a pause', async () => {
  const world = new World();
  const { poll: first } = await world.entered({ wait_max_ms: 0 });
  await first.answer(200, { messages: [], cursor: 0 });
  const polls = await replay(world, { messages: [], cursor: 0 }, 60_000);
  assert.ok(polls <= 30, `${polls} polls`);
});

test('the cursor never goes back', () => {
  const state = { self: {}, peers: new Map(), unconfirmed: new Map(), cursor: 7, staleThrough: -1, leaseMs: 1 };
  assert.equal(received(state, { messages: [data(3)], cursor: 3 }).state.cursor, 7);
});
