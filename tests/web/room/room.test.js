import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Unsupported } from '../../../web/client/platform/unsupported.js';
import { RoomEnded } from '../../../web/client/wire/problem.js';
import { settled } from '../support/clock.js';
import { FakePeerConnection } from '../support/peer-connection.js';
import { JOIN, SEND, World, joined, names, peer, poll } from '../support/world.js';

const LEAVE = 'DELETE /v1/rooms/tea/peers/ann';
const hide = (world) => world.page.dispatchEvent(new Event('pagehide'));
const show = (world, persisted) => world.page.dispatchEvent(Object.assign(new Event('pageshow'), { persisted }));

const losses = [[401, 'token-invalid'], [404, 'room-unknown'], [410, 'peer-gone'], [410, 'cursor-gone'], [409, 'cursor-ahead']];
for (const [status, slug] of losses) {
  test(`${slug}: the seat is taken again`, async () => {
    const world = new World();
    const { room, events, poll: first } = await world.entered({ peers: [peer('ben')] });
    await first.refuse(status, slug);
    assert.deepEqual(names(events), ['reconnecting']);
    const again = await world.asked(JOIN);
    assert.equal(again.headers.Authorization, 'Bearer token-of-ann');
    await again.answer(201, joined({ cursor: 900, peers: [peer('cem')] }));
    assert.deepEqual(names(events), ['reconnecting', 'peer-joined', 'resumed', 'connected']);
    assert.deepEqual([...room.peers.keys()].sort(), ['ben', 'cem']);
    assert.equal((await world.asked(poll())).headers['Last-Event-ID'], '900');
  });
}

test('those who do not come back after the server forgot have left after a lease', async () => {
  const world = new World();
  const { room, events, poll: first } = await world.entered({ peers: [peer('ben')] });
  await first.refuse(410, 'cursor-gone');
  await (await world.asked(JOIN)).answer(201, joined({ cursor: 900 }));
  await world.clock.advance(44_999);
  assert.equal(room.peers.has('ben'), true);
  await world.clock.advance(1);
  assert.deepEqual(events.at(-1), { name: 'peer-left', detail: { peer: peer('ben'), reason: 'expired' } });
  assert.equal(room.peers.has('ben'), false);
});

test('a seat that is lost again and again is not asked for in a hurry', async () => {
  const world = new World();
  let { poll: asked } = await world.entered();
  for (const delay of [0, 500, 1_000, 2_000]) {
    await asked.refuse(410, 'peer-gone');
    if (delay > 0) await world.quiet();
    await world.clock.advance(delay);
    await (await world.asked(JOIN)).answer(201, joined());
    asked = await world.asked(poll());
  }
});

test('a seat that was of use is asked for at once again', async () => {
  const world = new World();
  let { poll: asked } = await world.entered();
  for (const cursor of [900, 1_900]) {
    await asked.refuse(410, 'peer-gone');
    await (await world.asked(JOIN)).answer(201, joined({ cursor }));
    const messages = [{ seq: cursor + 1, from: 'ben', type: 'data', data: 1 }];
    await (await world.asked(poll())).answer(200, { messages, cursor: cursor + 1 });
    asked = await world.asked(poll());
  }
});

test('a refreshed page hears nothing of the connections of its earlier life', async () => {
  const world = new World();
  const { events, poll: first } = await world.entered({ status: 200, cursor: 3, latest: 4, peers: [peer('ben')] });
  const bye = (seq) => ({ seq, from: 'ben', type: 'bye' });
  await first.answer(200, { messages: [bye(4), bye(5)], cursor: 5 });
  assert.deepEqual(events.map(({ detail }) => detail.seq), [5]);
});

// A page that hung up was said to have left: both messages had come in one batch, and the first was told when the second had
// already removed its sender.
test('while a message is told its sender is a member, even if it left right after', async () => {
  const world = new World();
  const { room, poll: asked } = await world.entered({ peers: [peer('ben')] });
  const told = [];
  room.on('message', ({ type, from }) => told.push([type, room.peers.has(from)]));
  room.on('peer-joined', ({ id }) => told.push(['joined', room.peers.has(id)]));
  room.on('peer-left', ({ peer: { id } }) => told.push(['left', room.peers.has(id)]));
  const messages = [
    { seq: 1, from: 'ben', type: 'bye', reason: 'hung up' },
    { seq: 2, type: 'peer-left', peer: 'ben', reason: 'left' },
    { seq: 3, type: 'peer-joined', peer: peer('ben') },
    { seq: 4, from: 'ben', type: 'data', data: 1 },
    { seq: 5, type: 'peer-left', peer: 'ben', reason: 'left' },
  ];
  await asked.answer(200, { messages, cursor: 7, more: false });
  assert.deepEqual(told, [['bye', true], ['left', false], ['joined', true], ['data', true], ['left', false]]);
  assert.equal((await world.asked(poll())).headers['Last-Event-ID'], '7');
});

/** Somebody has come, said something, and waits to be told until there are credentials. */
async function held(world) {
  const entered = await world.entered({ ice_servers: [], ice_ttl_s: 0 });
  const messages = [{ seq: 1, type: 'peer-joined', peer: peer('ben') }, { seq: 2, from: 'ben', type: 'data', data: 1 }];
  await entered.poll.answer(200, { messages, cursor: 2 });
  return { ...entered, poll: await world.asked(poll()), credentials: await world.asked('GET /v1/rooms/tea/peers/ann/ice-servers') };
}

// Regression: events from before a restart of the server were told with the id from after it.
test('an event is told with what this member was when it happened', async () => {
  const world = new World();
  const { room, poll: asked, credentials } = await held(world);
  const told = [];
  for (const name of ['peer-joined', 'message', 'resumed']) room.on(name, () => told.push([name, room.self.id]));
  await asked.refuse(410, 'peer-gone');
  await (await world.asked(JOIN)).answer(201, joined({ self: peer('new', 2), peers: [peer('ben')], cursor: 900 }));
  assert.deepEqual(told, []);
  await credentials.answer(200, { ice_servers: [], ttl_s: 600 });
  assert.deepEqual(told, [['peer-joined', 'ann'], ['message', 'ann'], ['resumed', 'new']]);
});

// Regression: it was acknowledged, and never told.
test('what waits for credentials is told before the room ends', async () => {
  const world = new World();
  const { events, poll: asked } = await held(world);
  await asked.answer(200, { messages: [{ seq: 3, type: 'room-closed' }], cursor: 3 });
  assert.deepEqual(names(events), ['peer-joined', 'message', 'room-closed', 'closed']);
});

test('a room knows its name and who made it', async () => {
  const made = (await new World().entered()).room;
  const found = (await new World().entered({ peers: [peer('ben')] })).room;
  assert.deepEqual([made.name, made.created, found.created], ['tea', true, false]);
});

test('a room has one call at a time', async () => {
  const world = new World();
  world.environment.RTCPeerConnection = FakePeerConnection;
  const { room } = await world.entered({ peers: [peer('ben')] });
  const call = room.call();
  assert.deepEqual([...call.links.keys()], ['ben']);
  assert.throws(() => room.call(), /already has a call/);
  call.hangUp();
  assert.notEqual(room.call(), call);
});

// Regression: a call threw "undefined is not a constructor", and only once another peer was in the room.
test('without WebRTC a call is refused with a reason, and all else works', async () => {
  for (const RTCPeerConnection of [undefined, null, () => {}, class { constructor() { throw new Error(); } }]) {
    const world = new World();
    Object.assign(world.environment, { RTCPeerConnection });
    const { room } = await world.entered();
    assert.throws(() => room.call(), (error) => error instanceof Unsupported && error.code === 'webrtc-missing' && /no usable RTCPeerConnection/.test(error.message));
    const sent = room.send('ben', { type: 'data', data: 1 });
    await (await world.asked(SEND)).answer(202, { accepted: [{ to: 'ben', seq: 1 }] });
    assert.equal((await sent).seq, 1);
  }
});

test('a member whose seat was taken meanwhile waits for one', async () => {
  const world = new World();
  const { events, poll: first } = await world.entered();
  await first.refuse(410, 'peer-gone');
  await (await world.asked(JOIN)).refuse(409, 'room-full', { frees_in_ms: 4_000 });
  await world.clock.advance(4_399);
  await world.quiet();
  await world.clock.advance(1);
  await (await world.asked(JOIN)).answer(201, joined());
  assert.deepEqual(names(events), ['reconnecting', 'resumed', 'connected']);
});

test('a member that was kicked while it was away learns so', async () => {
  const world = new World();
  const { events, poll: first } = await world.entered();
  await first.refuse(410, 'peer-gone');
  await (await world.asked(JOIN)).refuse(403, 'kicked');
  assert.deepEqual(names(events), ['reconnecting', 'kicked']);
  assert.equal(events[1].detail.error.slug, 'kicked');
});

test('a member that is not let in any more has no room', async () => {
  const world = new World();
  const { events, poll: first } = await world.entered();
  await first.refuse(410, 'peer-gone');
  await (await world.asked(JOIN)).refuse(403, 'room-locked');
  assert.deepEqual(names(events), ['reconnecting', 'closed']);
  assert.equal(events[1].detail.error.slug, 'room-locked');
});

test('the room may be closed by somebody', async () => {
  const world = new World();
  const { events, poll: first } = await world.entered();
  await first.answer(200, { messages: [{ seq: 1, type: 'room-closed' }], cursor: 1 });
  assert.deepEqual(names(events), ['connected', 'room-closed', 'closed'].slice(1));
  await world.quiet();
});

test('the creator of a room can close it, also after a reload', async () => {
  const world = new World();
  await world.entered({ room_token: 'key-of-the-room' });
  const refreshed = new World();
  refreshed.environment.storage = world.environment.storage;
  const { room } = await refreshed.entered({ status: 200 });
  const closing = room.close();
  const asked = await refreshed.asked('DELETE /v1/rooms/tea');
  assert.equal(asked.headers.Authorization, 'Bearer key-of-the-room');
  await asked.intercept(204, null);
  await closing;
});

test('and can lock it', async () => {
  const world = new World();
  const { room } = await world.entered({ room_token: 'key-of-the-room' });
  const locking = room.lock(true);
  const asked = await world.asked('PATCH /v1/rooms/tea');
  assert.deepEqual([asked.headers.Authorization, asked.body], ['Bearer key-of-the-room', { locked: true }]);
  await asked.answer(200, { room: 'tea', locked: true });
  await locking;
});

test('nobody else can', async () => {
  const { room } = await new World().entered({ peers: [peer('ben')] });
  await assert.rejects(room.close(), /Only the creator of a room can close/);
  await assert.rejects(room.lock(true), /Only the creator of a room can lock/);
});

// Regression: both threw, and the room was never left.
test('one that has no seat at the moment can leave, and be hidden', async () => {
  const world = new World();
  const { room, poll: asked } = await world.entered();
  await asked.refuse(401, 'token-invalid');
  await (await world.asked(JOIN)).refuse(401, 'token-invalid');
  const again = await world.asked(JOIN);
  hide(world);
  await room.leave();
  assert.equal(room.state, 'closed');
  await again.cut();
  await world.clock.advance(60_000);
  await world.quiet();
});

test('leaving sends what is queued, then gives up the seat', async () => {
  const world = new World();
  const { room, events, poll: held } = await world.entered({ peers: [peer('ben')] });
  const said = room.send('ben', { type: 'bye' });
  const left = room.leave();
  await (await world.asked(SEND)).answer(202, { accepted: [{ to: 'ben', seq: 1 }] });
  await said;
  const asked = await world.asked(LEAVE);
  assert.equal(asked.headers.Authorization, 'Bearer token-of-ann');
  await asked.intercept(204, null);
  await left;
  assert.equal(held.aborted, true);
  assert.deepEqual(names(events), ['closed']);
  assert.equal(world.stored.size, 0);
});

test('joining again while leaving makes a new peer, which stays', async () => {
  const world = new World();
  const { room } = await world.entered({ peers: [peer('ben')] });
  void room.send('ben', { type: 'bye' });
  void room.leave();
  const farewell = await world.asked(SEND);
  const joining = world.join();
  const again = await world.asked(JOIN);
  assert.equal(again.headers.Authorization, undefined);
  await again.answer(201, joined({ self: peer('eve') }));
  await joining;
  await farewell.answer(202, { accepted: [{ to: 'ben', seq: 1 }] });
  assert.equal((await world.asked(LEAVE)).headers.Authorization, 'Bearer token-of-ann');
  assert.match([...world.stored.values()].join(), /token-of-eve/);
});

test('leaving does not wait long for a server that does not answer', async () => {
  const world = new World();
  const { room } = await world.entered({ peers: [peer('ben')] });
  const said = room.send('ben', { type: 'bye' });
  said.catch(() => {});
  void room.leave();
  await world.asked(SEND);
  await world.clock.advance(10_000);
  await world.asked(LEAVE);
  await assert.rejects(said, (error) => error instanceof RoomEnded && error.state === 'closed');
});

// Regression: after two seconds the last words were dropped, although the next attempt would have delivered them.
test('leaving tries again to send what is queued', async () => {
  const world = new World();
  const { room } = await world.entered({ peers: [peer('ben')] });
  const said = room.send('ben', { type: 'bye' });
  const left = room.leave();
  const lost = await world.asked(SEND);
  await world.clock.advance(3_000);
  await lost.cut();
  await world.clock.advance(3_000);
  await (await world.asked(SEND)).answer(202, { accepted: [{ to: 'ben', seq: 1 }] });
  await said;
  await (await world.asked(LEAVE)).intercept(204, null);
  await left;
});

test('an aborted signal leaves', async () => {
  const world = new World();
  const controller = new AbortController();
  await world.entered({}, { signal: controller.signal });
  controller.abort();
  await world.asked(LEAVE);
});

test('a page that goes away says so and stops reading', async () => {
  const world = new World();
  const { poll: held } = await world.entered();
  hide(world);
  assert.deepEqual(world.beacons, [{ url: 'https://signal.example/v1/rooms/tea/peers/ann/leave', body: 'token-of-ann' }]);
  await settled();
  assert.equal(held.aborted, true);
  await world.quiet();
});

test('a page that comes back from the cache takes its seat again', async () => {
  const world = new World();
  const { events } = await world.entered();
  hide(world);
  show(world, false);
  await world.quiet();
  show(world, true);
  await (await world.asked(JOIN)).answer(200, joined());
  assert.deepEqual(names(events), ['reconnecting', 'resumed', 'connected']);
  await world.asked(poll());
});

test('a tab whose seat another took does not give that away by closing', async () => {
  const world = new World();
  const { poll: held } = await world.entered();
  await held.refuse(409, 'poll-superseded');
  hide(world);
  assert.deepEqual(world.beacons, []);
});

test('`wire` reports messages in both directions', async () => {
  const world = new World();
  const { room, poll: held } = await world.entered({ peers: [peer('ben')] });
  const wire = [];
  room.on('wire', ({ direction, peer: who, type, at }) => wire.push([direction, who, type, at]));
  const said = room.send('ben', { type: 'data', data: 1 });
  await (await world.asked(SEND)).answer(202, { accepted: [{ to: 'ben', seq: 1 }] });
  assert.deepEqual((await said).seq, 1);
  await held.answer(200, { messages: [{ seq: 1, from: 'ben', type: 'bye' }], cursor: 1 });
  const at = world.clock.date();
  assert.deepEqual(wire, [['out', 'ben', 'data', at], ['in', 'ben', 'bye', at]]);
});
