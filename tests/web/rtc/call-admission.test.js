import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settled } from '../support/clock.js';
import { couple, talk } from '../support/company.js';
import { types } from '../support/connected.js';
import { JOIN, SEND, World, joined, peer, poll } from '../support/world.js';

// Regression: a stranger who joined an open room was sent an offer, candidates and the picture of the person waiting, who was not asked.

/** Questions that the test answers. */
function questions() {
  const asked = [];
  const admit = (who, { signal }) => new Promise((resolve) => asked.push({ id: who.id, signal, answer: resolve }));
  return { asked, admit };
}

/** Ben waits; Ann comes, and offers. */
async function caller(admit) {
  const pair = couple({ admit });
  const { ann, ben } = pair;
  ben.room.peers.clear();
  ben.call.start();
  ben.room.comes(ann.room.self);
  ann.call.start();
  await talk(ann, ben);
  return pair;
}

test('nothing is sent to a peer before it is let in, however often it offers', async () => {
  const { asked, admit } = questions();
  const { clock, ann, ben } = await caller(ofBen(admit));
  assert.deepEqual(asked.map(({ id }) => id), ['ann']);
  await clock.advance(60_000);
  await talk(ann, ben);
  assert.deepEqual([ben.room.mail, ben.call.links.size, asked.length], [[], 0, 1]);
  asked[0].answer(true);
  await settled();
  assert.deepEqual(types(await ben.said())[0], 'answer');
  assert.equal(ben.link('ann').state, 'connecting');
});

test('a declined peer is told so, and told again if it keeps calling', async () => {
  const { asked, admit } = questions();
  const { ann, ben } = await caller(ofBen(admit));
  asked[0].answer(false);
  await settled();
  const bye = { to: 'ann', message: { type: 'bye', reason: 'declined' } };
  assert.deepEqual(ben.room.mail, [bye]);
  await talk(ann, ben);
  assert.deepEqual(ann.events.find(({ name }) => name === 'bye')?.reason, 'declined');
  assert.equal(ann.call.links.size, 0);
  ben.room.emit('message', { seq: 9, from: 'ann', type: 'offer', sdp: 'v=0' });
  ben.room.emit('message', { seq: 10, from: 'ann', type: 'candidate', candidate: null });
  await settled();
  assert.deepEqual([ben.room.mail.splice(0), asked.length, ben.call.links.size], [[bye], 1, 0]);
});

test('a question ends when the peer hangs up, leaves or the call ends; a late answer has no effect', async () => {
  for (const end of [
    (ben) => ben.room.emit('message', { seq: 9, from: 'ann', type: 'bye' }),
    (ben) => ben.room.goes(ben.room.peers.get('ann')),
    (ben) => ben.call.close(),
  ]) {
    const { asked, admit } = questions();
    const { ben } = await caller(ofBen(admit));
    end(ben);
    assert.equal(asked[0].signal.aborted, true);
    asked[0].answer(true);
    await settled();
    assert.deepEqual([ben.room.mail, ben.call.links.size], [[], 0]);
  }
});

test('a question that fails lets nobody in', async (t) => {
  const reported = t.mock.method(globalThis, 'queueMicrotask', () => {});
  const { ann, ben } = await caller(ofBen(() => { throw new Error('broken'); }));
  assert.equal(ann.events.find(({ name }) => name === 'bye')?.reason, 'declined');
  assert.equal(ben.call.links.size, 0);
  assert.equal(reported.mock.callCount(), 1);
});

test('a peer in the room that has not been let in is asked about after a new mailbox, too', async () => {
  const { asked, admit } = questions();
  const { ann, ben } = couple({ admit: ofBen(admit) });
  ben.room.peers.clear();
  ben.call.start();
  ben.room.peers.set('ann', ann.room.self);
  ben.room.emit('resumed', { lost: true, renamed: false, roster: [ann.room.self] });
  await settled();
  assert.deepEqual([asked.length, ben.room.mail], [1, []]);
  asked[0].answer(true);
  await settled();
  assert.deepEqual(types(await ben.said())[0], 'offer');
});

/** Both members of a couple have the same options; only Ben asks. */
function ofBen(admit) {
  return (who, question) => (who.id === 'ann' ? admit(who, question) : true);
}

// ---- In a room ---------------------------------------------------------------------------------------------------

const RTCPeerConnection = class {
  addTrack() {}
  createDataChannel() { return { addEventListener() {} }; }
  close() {}
};
RTCPeerConnection.prototype.createOffer = RTCPeerConnection.prototype.setLocalDescription = async () => {};

/** Joins, calls, and notes which peers it was asked about. */
async function visit(world, answer) {
  const joining = world.join({ RTCPeerConnection });
  await (await world.asked(JOIN)).answer(answer.status ?? 201, joined(answer));
  const room = await joining;
  const asked = [];
  const call = room.call({ admit: async ({ id }) => (asked.push(id), true) });
  return { room, call, asked, reading: await world.asked(poll()) };
}

test('nobody is asked about peers that were there before; newcomers are asked about, but not again after a reload', async () => {
  const world = new World();
  const first = await visit(world, { self: peer('ann', 2), peers: [peer('ben', 1)] });
  assert.deepEqual([first.asked, [...first.call.links.keys()]], [[], ['ben']]);
  await first.reading.answer(200, { messages: [{ seq: 1, type: 'peer-joined', peer: peer('cleo', 3) }], cursor: 1 });
  assert.deepEqual(first.asked, ['cleo']);
  // Dan came while the page was being loaded again.
  const others = [peer('ben', 1), peer('cleo', 3), peer('dan', 4)];
  world.open = [];
  const again = await visit(world, { status: 200, self: peer('ann', 2), peers: others, cursor: 2, latest: 2 });
  assert.deepEqual(again.asked, ['dan']);
});

test('a page that comes back to a seat that is gone asks about everybody it does not know', async () => {
  const world = new World();
  await visit(world, { peers: [] });
  world.open = [];
  const again = await visit(world, { self: peer('ann', 7), peers: [peer('eve', 6)] });
  assert.deepEqual([again.asked, world.open.filter(({ line }) => line === SEND)], [['eve'], []]);
});
