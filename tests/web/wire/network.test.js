import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settled } from '../support/clock.js';
import { JOIN, SEND, World, joined, names, peer, poll } from '../support/world.js';

const online = (world) => world.page.dispatchEvent(new Event('online'));
const nothing = { messages: [], cursor: 0 };
const wait = (asked) => asked.url.searchParams.get('wait');

/** `navigator.connection`, with a `type` if known. */
class Connection extends EventTarget {
  changes(type) {
    this.type = type;
    this.dispatchEvent(new Event('change'));
  }
}

// After a change of networks the old connection is a black hole. Regression: it took up to 35 s until the poll was abandoned.
test('a stuck poll is sent again as soon as the browser is online', async () => {
  const world = new World();
  const { events, poll: first } = await world.entered();
  await world.clock.advance(3_000);
  online(world);
  const second = await world.asked(poll());
  assert.equal(first.aborted, true);
  await second.answer(200, { messages: [{ seq: 1, from: 'ben', type: 'data', data: 1 }], cursor: 1 });
  assert.deepEqual(names(events), ['message'], 'and nothing is said of it');
});

test('or as the connection says that it is another one', async () => {
  const connection = new Connection();
  const world = new World();
  Object.assign(world.environment, { connection });
  const { room, poll: first } = await world.entered();
  let told = 0;
  room.on('network-changed', () => { told += 1; });
  connection.changes();
  const second = await world.asked(poll());
  assert.deepEqual([first.aborted, told], [true, 1]);
  connection.changes('wifi');
  connection.changes('wifi');
  const third = await world.asked(poll());
  assert.deepEqual([second.aborted, third.aborted, told], [true, false, 2], 'not where only its speed is another');
});

test('what was learned of proxies on the old network is forgotten', async () => {
  const world = new World();
  const { poll: first } = await world.entered();
  await world.clock.advance(20_000);
  await first.intercept(504);
  await (await world.asked(poll())).answer(200, { messages: [], cursor: 0 });
  assert.equal(wait(await world.asked(poll())), '12.5');
  online(world);
  assert.equal(wait(await world.asked(poll())), '25');
});

test('a stuck message is sent again, with the same key', async () => {
  const world = new World();
  const { room } = await world.entered({ peers: [peer('ben')] });
  const sending = room.send('ben', { type: 'data', data: 1 });
  const first = await world.asked(SEND);
  online(world);
  const second = await world.asked(SEND);
  assert.equal(first.aborted, true);
  assert.deepEqual([second.text, second.headers['Idempotency-Key']], [first.text, first.headers['Idempotency-Key']]);
  await second.answer(200, { accepted: [{ to: 'ben', seq: 4 }] });
  assert.equal((await sending).seq, 4);
});

test('so is a join', async () => {
  const world = new World();
  const joining = world.join();
  const first = await world.asked(JOIN);
  online(world);
  const second = await world.asked(JOIN);
  assert.equal(second.headers['Idempotency-Key'], first.headers['Idempotency-Key']);
  await second.answer(201, joined());
  await joining;
});

test('so is a goodbye', async () => {
  const world = new World();
  const { room } = await world.entered();
  const leaving = room.leave();
  const line = 'DELETE /v1/rooms/tea/peers/ann';
  await world.asked(line);
  online(world);
  await (await world.asked(line)).answer(204);
  await leaving;
});

test('a stuck request can be cancelled', async () => {
  const world = new World();
  const controller = new AbortController();
  const joining = world.join({ signal: controller.signal });
  await world.asked(JOIN);
  controller.abort('enough');
  online(world);
  await assert.rejects(joining, (error) => error === 'enough');
  await world.quiet();
});

test('a message that nobody answers takes along the poll that went out before it', async () => {
  const world = new World();
  const { room, poll: first } = await world.entered({ peers: [peer('ben')] });
  await world.clock.advance(1_000);
  void room.send('ben', { type: 'data', data: 1 });
  await world.asked(SEND);
  await world.clock.advance(15_000);
  assert.equal(first.aborted, true);
  await world.asked(poll());
});

test('but not one that went out later', async () => {
  const world = new World();
  const { room, poll: first } = await world.entered({ peers: [peer('ben')] });
  void room.send('ben', { type: 'data', data: 1 });
  await world.asked(SEND);
  await world.clock.advance(1_000);
  await first.answer(200, { messages: [{ seq: 1, from: 'ben', type: 'data', data: 1 }], cursor: 1 });
  const second = await world.asked(poll());
  await world.clock.advance(14_000);
  assert.equal(second.aborted, false);
});

for (const name of ['visibilitychange', 'resume', 'pageshow']) {
  test(`a page that was suspended for long polls again when it resumes: ${name}`, async () => {
    const world = new World();
    const { poll: first } = await world.entered();
    world.page.dispatchEvent(new Event(name));
    await settled();
    assert.equal(first.aborted, false, 'one that was not suspended continues');
    // The machine slept: wall-clock time passed, and no timer ran.
    world.clock.date = () => 1_700_000_000_000 + 3_600_000;
    world.page.dispatchEvent(new Event(name));
    await world.asked(poll());
    assert.equal(first.aborted, true);
  });
}

// `resume` is for the document, and does not bubble: a listener of the window hears it only before the document does.
test('what does not bubble to the window is heard there, too', async () => {
  const world = new World();
  const heard = [];
  const { addEventListener } = world.page;
  world.page.addEventListener = function add(name, listener, options) {
    heard.push([name, options]);
    addEventListener.call(this, name, listener, options);
  };
  await world.entered();
  assert.ok(heard.some(([name, captures]) => name === 'resume' && captures === true), JSON.stringify(heard));
});

test('when the room is over nothing listens any more', async () => {
  const world = new World();
  const { poll: first } = await world.entered();
  const removed = [];
  const { removeEventListener } = world.page;
  world.page.removeEventListener = function remove(name, listener) {
    removed.push(name);
    removeEventListener.call(this, name, listener);
  };
  await first.refuse(410, 'kicked');
  online(world);
  await world.quiet();
  assert.ok(removed.filter((name) => name === 'online').length >= 3, `${removed}`);
});

test('an answer that comes at the moment of the change is asked for again, and delivered once', async () => {
  const world = new World();
  const { events, poll: first } = await world.entered();
  const batch = { messages: [{ seq: 1, from: 'ben', type: 'data', data: 1 }], cursor: 1 };
  online(world);
  await first.answer(200, batch);
  await (await world.asked(poll())).answer(200, batch);
  await (await world.asked(poll())).answer(200, { ...nothing, cursor: 1 });
  assert.deepEqual(names(events), ['message']);
});
