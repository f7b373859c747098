import assert from 'node:assert/strict';
import { test } from 'node:test';

import { JOIN, World, joined, names, peer, poll } from '../support/world.js';

const wait = (asked) => asked.url.searchParams.get('wait');
const cursor = (asked) => asked.headers['Last-Event-ID'];
const nothing = (at = 0) => ({ messages: [], cursor: at });
const data = (seq) => ({ seq, from: 'ben', type: 'data', data: seq });

test('a batch is handed over before its cursor is sent', async () => {
  const world = new World();
  const { events, poll: first } = await world.entered({ peers: [peer('ben')] });
  assert.deepEqual([wait(first), cursor(first)], ['25', '0']);
  await first.answer(200, { messages: [data(1), data(2)], cursor: 2 });
  assert.deepEqual(events.map(({ detail }) => detail.data), [1, 2]);
  const second = await world.asked(poll());
  assert.deepEqual([wait(second), cursor(second)], ['25', '2']);
  assert.equal(second.url.href, first.url.href, 'a constant address costs one preflight');
});

test('a listener that throws does not keep the batch from the others', async (t) => {
  const world = new World();
  const { room, events, poll: first } = await world.entered();
  const reported = [];
  globalThis.reportError = (error) => reported.push(error.message);
  t.after(() => delete globalThis.reportError);
  room.on('message', () => {
    throw new Error('a mistake of the application');
  });
  await first.answer(200, { messages: [data(1)], cursor: 1 });
  assert.deepEqual(reported, ['a mistake of the application']);
  assert.deepEqual(names(events), ['message']);
  assert.equal(cursor(await world.asked(poll())), '1');
});

test('a lost answer is asked for again from the same cursor, without a hold', async () => {
  const world = new World();
  const { events, poll: first } = await world.entered();
  await first.cut();
  assert.deepEqual(names(events), ['reconnecting']);
  await world.clock.advance(250);
  const second = await world.asked(poll());
  assert.deepEqual([wait(second), cursor(second)], ['0', '0']);
  await second.answer(200, { messages: [data(1)], cursor: 1 });
  assert.deepEqual(names(events), ['reconnecting', 'connected', 'message']);
  assert.equal(wait(await world.asked(poll())), '25');
});

test('failures in a row wait longer and longer', async () => {
  const world = new World();
  let { poll: asked } = await world.entered();
  for (const delay of [250, 500, 1_000, 2_000, 4_000, 4_000]) {
    await asked.cut();
    await world.clock.advance(delay - 1);
    await world.quiet();
    await world.clock.advance(1);
    asked = await world.asked(poll());
  }
});

test('a gateway that loses patience is an empty poll, and teaches the hold', async () => {
  const world = new World();
  const { events, poll: first } = await world.entered();
  await world.clock.advance(20_000);
  await first.intercept(504);
  const second = await world.asked(poll());
  assert.equal(wait(second), '0', 'is the server there?');
  await second.answer(200, nothing());
  assert.equal(wait(await world.asked(poll())), '12.5');
  assert.deepEqual(events, []);
});

test('a gateway that takes its time to say that the server is down is believed', async () => {
  // Such as HAProxy with a connection time-out of 5 s: it was taken for one that ends idle requests, for hours.
  const world = new World();
  const { events, poll: first } = await world.entered();
  await world.clock.advance(5_000);
  await first.intercept(503);
  const second = await world.asked(poll());
  await world.clock.advance(5_000);
  await second.intercept(503, '', { 'Retry-After': '7' });
  assert.deepEqual(names(events), ['reconnecting']);
  await world.clock.advance(6_000);
  await world.quiet();
  await world.clock.advance(2_400);
  await (await world.asked(poll())).answer(200, nothing());
  assert.deepEqual(names(events), ['reconnecting', 'connected']);
  assert.equal(wait(await world.asked(poll())), '25', 'and says nothing about holds');
});

test('nor does a server that has lost the seat meanwhile', async () => {
  const world = new World();
  const { poll: first } = await world.entered();
  await world.clock.advance(5_000);
  await first.intercept(502);
  await (await world.asked(poll())).refuse(410, 'peer-gone');
  await (await world.asked(JOIN)).answer(201, joined());
  await (await world.asked(poll())).answer(200, nothing());
  assert.equal(wait(await world.asked(poll())), '25');
});

test('a gateway that fails at once means that the server is down', async () => {
  const world = new World();
  const { events, poll: first } = await world.entered();
  await first.intercept(502);
  assert.deepEqual(names(events), ['reconnecting']);
  await world.quiet();
  await world.clock.advance(250);
  await (await world.asked(poll())).answer(200, nothing());
  assert.equal(wait(await world.asked(poll())), '25', 'and says nothing about holds');
});

test('connections that are cut at the same age teach the hold', async () => {
  const world = new World();
  const { poll: first } = await world.entered();
  await world.clock.advance(15_000);
  await first.cut();
  await world.clock.advance(250);
  await (await world.asked(poll())).answer(200, nothing());
  const second = await world.asked(poll());
  assert.equal(wait(second), '25');
  await world.clock.advance(15_500);
  await second.cut();
  await world.clock.advance(250);
  await (await world.asked(poll())).answer(200, nothing());
  assert.equal(wait(await world.asked(poll())), '12.4');
});

test('another network is met without prejudice', async () => {
  const world = new World();
  const { poll: first } = await world.entered();
  await world.clock.advance(20_000);
  await first.intercept(504);
  await (await world.asked(poll())).answer(200, nothing());
  const second = await world.asked(poll());
  assert.equal(wait(second), '12.5');
  world.page.dispatchEvent(new Event('online'));
  await second.answer(200, nothing());
  await world.clock.advance(1_000);
  assert.equal(wait(await world.asked(poll())), '25');
});

test('a poll that disappears is given up ten seconds after its hold', async () => {
  const world = new World();
  const { events, poll: first } = await world.entered();
  await world.clock.advance(34_999);
  assert.equal(first.aborted, false);
  await world.clock.advance(1);
  assert.equal(first.aborted, true);
  assert.deepEqual(names(events), ['reconnecting']);
});

test('a captive portal counts as no network', async () => {
  const world = new World();
  const { events, poll: first } = await world.entered();
  await first.intercept(200, '<html>Please log in</html>');
  assert.deepEqual(names(events), ['reconnecting']);
  assert.equal(cursor(await (world.clock.advance(250), world.asked(poll()))), '0');
});

test('a server that is going down says when to come back', async () => {
  const world = new World();
  const { events, poll: first } = await world.entered();
  await first.refuse(503, 'draining', { retry_after_ms: 2_000 });
  assert.deepEqual(names(events), ['reconnecting']);
  await world.clock.advance(2_199);
  await world.quiet();
  await world.clock.advance(1);
  await world.asked(poll());
});

test('a limit of the rate is kept to, and nothing to worry anybody about', async () => {
  const world = new World();
  const { events, poll: first } = await world.entered();
  await first.refuse(429, 'rate-limited', {}, { 'Retry-After': '3' });
  await world.clock.advance(2_999);
  await world.quiet();
  await world.clock.advance(302);
  assert.equal(wait(await world.asked(poll())), '25');
  assert.deepEqual(events, []);
});

test('empty answers that were not held do not become a storm', async () => {
  const world = new World();
  let { poll: asked } = await world.entered();
  for (const delay of [500, 1_000, 2_000, 4_000, 4_000]) {
    await asked.answer(200, nothing());
    await world.quiet();
    await world.clock.advance(delay);
    asked = await world.asked(poll());
  }
  await world.clock.advance(24_000);
  await asked.answer(200, nothing());
  await world.asked(poll());
});

for (const [status, slug, state] of [[409, 'poll-superseded', 'superseded'], [410, 'kicked', 'kicked'], [410, 'room-closed', 'closed']]) {
  test(`${slug} is the end`, async () => {
    const world = new World();
    const { room, events, poll: first } = await world.entered();
    await first.refuse(status, slug);
    assert.deepEqual(names(events), [state]);
    assert.equal(room.state, state);
    assert.equal(world.stored.size, state === 'superseded' ? 1 : 0, 'only a seat that can be taken back is kept');
    await world.clock.advance(120_000);
    await world.quiet();
  });
}
