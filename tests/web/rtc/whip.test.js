import assert from 'node:assert/strict';
import { test } from 'node:test';

import { whipRole } from '../../../web/client/rtc/whip.js';
import { FakeClock, settled } from '../support/clock.js';
import { Member } from '../support/company.js';
import { types } from '../support/connected.js';
import { sdp } from '../support/sdp.js';

const ID = '0a1b2c3d-0000-8000-8000-000000000001';
const rtc = { trickle: false, renegotiates: false, channel: false };
const OBS = { id: ID, name: 'OBS', order: 3, metadata: { whip: 'encoder', rtc: { ...rtc, direction: 'sendonly' } } };
const PLAYER = { id: ID, name: 'Player', order: 3, metadata: { whip: 'player', rtc: { ...rtc, direction: 'recvonly' } } };
const MEDIA = ['m=audio 9 UDP/TLS/RTP/SAVPF 111', 'm=video 9 UDP/TLS/RTP/SAVPF 96'];
const streamOf = (...kinds) => ({ getTracks: () => kinds.map((kind) => ({ kind })) });

/** Ann in a room with these, before her call. */
function alone(options, ...peers) {
  const clock = new FakeClock();
  const ann = new Member(clock, { id: 'ann', name: 'Ann', order: 2 }, peers, options);
  return { clock, ann };
}

/** Ann, whom somebody calls by WHIP or WHEP. */
async function called(caller, options) {
  const { clock, ann } = alone(options);
  ann.call.start();
  ann.room.comes(caller);
  await ann.hears(ID, { type: 'offer', sdp: sdp('theirs', { lines: MEDIA }) });
  return { clock, ann };
}

async function connected(caller, options) {
  const { clock, ann } = await called(caller, options);
  assert.deepEqual(types(await ann.said()), ['answer']);
  ann.pc(ID).become('connected');
  return { clock, ann };
}

test('an encoder or player is known by its id and its card together', () => {
  assert.equal(whipRole(OBS), 'encoder');
  assert.equal(whipRole(PLAYER), 'player');
  assert.equal(whipRole({ ...OBS, id: '0a1b2c3d-0000-4000-8000-000000000001' }), null);
  for (const metadata of [undefined, null, 'whip', { whip: 'camera' }, { whip: null }]) assert.equal(whipRole({ id: ID, metadata }), null);
});

test('an encoder that joins is not offered to, however long its offer takes', async () => {
  const { clock, ann } = alone();
  ann.call.start();
  ann.room.comes(OBS);
  await clock.advance(120_000);
  assert.deepEqual(ann.room.mail, []);
  assert.deepEqual(ann.states(), [], 'and nobody sees it: it may call somebody else');
});

test('its offer is answered, and nothing else is said to it but that it is heard, three times in a lease', async () => {
  const { clock, ann } = await called(OBS, { stream: streamOf('audio', 'video') });
  assert.deepEqual(types(await ann.said()), ['answer']);
  assert.deepEqual([...ann.pc(ID).sent], [], 'it only sends');
  await clock.advance(14_999);
  assert.deepEqual(ann.room.mail, []);
  ann.pc(ID).become('connected');
  await clock.advance(30_000);
  const alive = { type: 'data', data: { whip: 'alive' } };
  assert.deepEqual((await ann.said()).map(({ to, message }) => [to, message]), [[ID, alive], [ID, alive], [ID, alive]]);
});

test('the heartbeat continues while the connection may come back, and ends with it', async () => {
  const { clock, ann } = await connected(OBS);
  ann.pc(ID).become('disconnected');
  await ann.said();
  await clock.advance(15_000);
  assert.deepEqual(types(await ann.said()), ['data']);
  ann.pc(ID).become('connected');
  await clock.advance(15_000);
  assert.deepEqual(types(await ann.said()), ['data'], 'one, not two');
  ann.pc(ID).become('failed');
  assert.deepEqual((await ann.said()).map(({ message }) => message), [{ type: 'bye', reason: 'failed' }]);
  assert.equal(ann.link(ID), undefined);
  await clock.advance(60_000);
  assert.deepEqual(ann.room.mail, []);
});

test('a connection that does not come about in half a minute is given up', async () => {
  const { clock, ann } = await called(OBS);
  await ann.said();
  await clock.advance(29_999);
  assert.deepEqual(ann.room.mail, []);
  await clock.advance(1);
  assert.deepEqual(types(await ann.said()), ['bye']);
  assert.equal(clock.pending, 0);
});

test('an offer that this browser does not understand is declined', async () => {
  const { ann } = alone();
  ann.call.start();
  ann.room.comes(OBS);
  await ann.hears(ID, { type: 'offer', sdp: 'broken' });
  assert.deepEqual(types(await ann.said()), ['bye']);
});

test('an encoder that calls again gets a new connection', async () => {
  const { ann } = await connected(OBS);
  const before = ann.pc(ID);
  await ann.said();
  await ann.hears(ID, { type: 'offer', sdp: sdp('of the next one', { lines: MEDIA }) });
  assert.deepEqual(types(await ann.said()), ['answer']);
  assert.notEqual(ann.pc(ID), before);
  ann.pc(ID).become('connected');
  assert.deepEqual(types(await ann.said()), ['data']);
});

test('ICE that it restarts is answered on the same connection', async () => {
  const { ann } = await connected(OBS);
  const before = ann.pc(ID);
  await ann.said();
  await ann.hears(ID, { type: 'offer', sdp: sdp('theirs', { ufrag: 'next', lines: MEDIA }) });
  assert.deepEqual(types(await ann.said()), ['answer']);
  assert.equal(ann.pc(ID), before);
});

test('a page that was loaded again has encoders call anew; one that comes in does not', async () => {
  for (const returned of [true, false]) {
    const { ann } = alone({}, OBS);
    ann.room.returned = returned;
    ann.call.start();
    assert.deepEqual((await ann.said()).map(({ to, message }) => [to, message.type]), returned ? [[ID, 'bye']] : []);
  }
});

test('a lost seat does not end the connection with an encoder', async () => {
  const { ann } = await connected(OBS);
  await ann.said();
  ann.room.emit('resumed', { lost: true, renamed: false, roster: [OBS] });
  assert.deepEqual(await ann.said(), []);
  assert.equal(ann.link(ID).state, 'connected');
});

test('whom another peer has answered is told by the event', async () => {
  const { ann } = await called(OBS);
  await ann.hears(ID, { type: 'bye', reason: 'taken', answeredBy: 'ben' });
  const [bye] = ann.events.filter(({ name }) => name === 'bye');
  assert.deepEqual([bye.peer, bye.reason, bye.answeredBy], [OBS, 'taken', 'ben']);
  assert.equal(ann.link(ID), undefined);
});

test('who receives nothing declines encoders, and who sends nothing declines players', async () => {
  for (const [caller, options] of [[OBS, { receive: false }], [PLAYER, {}], [PLAYER, { stream: streamOf() }]]) {
    const { ann } = await called(caller, options);
    assert.deepEqual((await ann.said()).map(({ message }) => message), [{ type: 'bye', reason: 'declined' }]);
    assert.equal(ann.link(ID), undefined);
  }
});

test('a player is sent the camera, and the microphone if that is switched on later', async () => {
  const { ann } = await connected(PLAYER, { stream: streamOf('video') });
  const pc = ann.pc(ID);
  assert.deepEqual(pc.transceivers.map(({ kind, direction }) => [kind, direction]), [['video', 'sendonly'], ['audio', 'sendonly']]);
  await ann.said();
  ann.call.replaceStream(streamOf('audio', 'video'));
  assert.deepEqual(await ann.said(), []);
  assert.deepEqual([...pc.sent.keys()].sort(), ['audio', 'video']);
});

// An encoder keeps its peer id when it calls again, so the server has to be told which of its offers this is about.
test('what is said about an offer names it', async () => {
  const { ann } = alone();
  ann.call.start();
  ann.room.comes(OBS);
  const offers = [['first', sdp('theirs', { lines: MEDIA })], ['second', sdp('of the next one', { lines: MEDIA })], ['third', 'broken']];
  for (const [call, text] of offers) {
    await ann.hears(ID, { type: 'offer', sdp: text, call });
    const [{ message }] = await ann.said();
    assert.deepEqual([message.type, message.call], [call === 'third' ? 'bye' : 'answer', call]);
  }
  await ann.hears(ID, { type: 'offer', sdp: sdp('without', { lines: MEDIA }), call: 7 });
  const [{ message }] = await ann.said();
  assert.deepEqual([message.type, 'call' in message], ['answer', false]);
  ann.pc(ID).become('connected');
  assert.deepEqual((await ann.said()).map((one) => one.message), [{ type: 'data', data: { whip: 'alive' } }]);
});

test('a goodbye names the offer that is declined, or whose connection has failed', async () => {
  const offer = { type: 'offer', sdp: sdp('theirs', { lines: MEDIA }), call: 'first' };
  for (const options of [{ receive: false }, { admit: () => false }]) {
    const { ann } = alone(options);
    ann.call.start();
    ann.room.comes(OBS);
    for (let times = 0; times < 2; times += 1) {
      await ann.hears(ID, offer);
      await settled();
      assert.deepEqual((await ann.said()).map(({ message }) => message), [{ type: 'bye', reason: 'declined', call: 'first' }]);
    }
  }
  const { ann } = alone();
  ann.call.start();
  ann.room.comes(OBS);
  await ann.hears(ID, offer);
  await ann.said();
  ann.pc(ID).become('failed');
  assert.deepEqual((await ann.said()).map(({ message }) => message), [{ type: 'bye', reason: 'failed', call: 'first' }]);
});

test('what another peer writes beside its offer is not repeated', async () => {
  const { ann } = alone({}, { id: 'ben', name: 'Ben', order: 3 });
  ann.call.start();
  await ann.said();
  await ann.hears('ben', { type: 'offer', sdp: sdp('theirs', { lines: MEDIA }), call: 'first' });
  for (const { message } of await ann.said()) assert.equal('call' in message, false, message.type);
});

test('a question is asked when the offer is there', async () => {
  const asked = [];
  const { ann } = await called(OBS, { admit: (peer) => (asked.push(peer.name), true) });
  await settled();
  assert.deepEqual(asked, ['OBS']);
  assert.deepEqual(types(await ann.said()), ['answer']);
});
