import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settled } from './support/clock.js';
import { agreed, couple, talk } from './support/company.js';
import { FakePeerConnection } from './support/peer-connection.js';

const types = (mail) => mail.map(({ message }) => message.type);

/** Ann and Ben in a call that stands. */
async function connected(options) {
  const pair = couple(options);
  pair.ben.call.start();
  pair.ann.call.start();
  await talk(pair.ann, pair.ben);
  pair.ann.pc('ben').connect();
  pair.ben.pc('ann').connect();
  assert.ok(agreed(pair.ann, pair.ben));
  return pair;
}

/** The page of a member is refreshed: same peer, nothing remembered. */
function refreshed(member) {
  const { room, clock, constructor: Again } = member;
  const { pc } = [...member.call.links.values()][0];
  pc.close();
  return new Again(clock, room.self, [...room.peers.values()]);
}

test('whoever arrives offers; whoever was there waits', async () => {
  const { ann, ben } = couple();
  ann.call.start();
  assert.deepEqual(types(await ann.said()), ['offer']);
  assert.equal(ann.link('ben').state, 'connecting');
  ben.room.peers.clear();
  ben.call.start();
  ben.room.comes(ann.room.self);
  assert.deepEqual(types(await ben.said()), []);
  assert.equal(ben.link('ann').state, 'waiting');
});

test('whoever waits in vain for five seconds offers', async () => {
  const { clock, ann, ben } = couple();
  ben.room.peers.clear();
  ben.call.start();
  ben.room.comes(ann.room.self);
  await clock.advance(4_999);
  assert.deepEqual(types(await ben.said()), []);
  await clock.advance(1);
  assert.deepEqual(types(await ben.said()), ['offer']);
});

test('two that offer at the same moment agree on one offer', async () => {
  const { ann, ben } = await connected();
  assert.equal(FakePeerConnection.all.filter((pc) => pc === ann.pc('ben') || pc === ben.pc('ann')).length, 2);
  assert.deepEqual(ann.states(), ['connecting', 'connected']);
  assert.deepEqual(ben.states(), ['connecting', 'connected']);
});

test('the room\'s ICE servers are used unless others are given', async () => {
  const { ann } = await connected();
  assert.deepEqual(ann.pc('ben').configuration.iceServers, [{ urls: 'stun:stun.example' }]);
  const own = { iceServers: [], iceTransportPolicy: 'relay' };
  assert.deepEqual((await connected({ configuration: own })).ann.pc('ben').configuration, own);
});

for (const who of ['ann', 'ben']) {
  test(`${who} refreshes the page: the other makes a new connection at once`, async () => {
    const pair = await connected();
    const other = who === 'ann' ? pair.ben : pair.ann;
    const before = other.pc(who);
    const again = refreshed(pair[who]);
    again.call.start();
    await talk(again, other);
    assert.notEqual(other.pc(who), before);
    assert.equal(before.signalingState, 'closed');
    assert.ok(agreed(again, other));
  });

  test(`${who} refreshes while the other is repairing the link`, async () => {
    const pair = await connected();
    const other = who === 'ann' ? pair.ben : pair.ann;
    other.pc(who).restartIce();
    await settled();
    const again = refreshed(pair[who]);
    again.call.start();
    await talk(again, other);
    assert.ok(agreed(again, other));
  });

  test(`${who} refreshes before the first answer, which then is for nobody`, async () => {
    const pair = couple();
    const other = who === 'ann' ? pair.ben : pair.ann;
    pair.ann.call.start();
    pair.ben.call.start();
    await settled();
    other.room.mail.splice(0);
    const again = refreshed(pair[who]);
    again.call.start();
    await talk(again, other);
    await pair.clock.advance(4_500);
    await talk(again, other);
    assert.ok(agreed(again, other));
  });
}

test('candidates that come before the description wait for it', async () => {
  const { ann, ben } = couple();
  ann.call.start();
  const offer = (await ann.said())[0].message;
  ben.call.start();
  await settled();
  const pc = ben.pc('ann');
  await ben.hears('ann', { type: 'candidate', candidate: { candidate: 'early' } });
  assert.deepEqual(pc.candidates, []);
  const answer = { type: 'answer', sdp: offer.sdp };
  await ben.hears('ann', answer);
  assert.deepEqual(pc.candidates, [{ candidate: 'early' }]);
  await ben.hears('ann', { type: 'candidate', candidate: null });
  assert.deepEqual(pc.candidates.at(-1), null);
});

test('a candidate that the browser refuses harms nobody', async () => {
  const { ann } = await connected();
  const pc = ann.pc('ben');
  await ann.hears('ben', { type: 'candidate', candidate: { candidate: 'unknown' } });
  assert.equal(ann.pc('ben'), pc);
  assert.equal(ann.link('ben').state, 'connected');
});

test('an answer to no offer means that the ends are out of step: they start anew', async () => {
  const { ann, ben } = await connected();
  const before = ann.pc('ben');
  await ann.hears('ben', { type: 'answer', sdp: 'v=0\r\no=- 999999 1 IN IP4 127.0.0.1\r\n' });
  assert.notEqual(ann.pc('ben'), before);
  await talk(ann, ben);
  assert.ok(agreed(ann, ben));
});

test('ends that stay out of step do not start anew forever', async () => {
  const { ann } = await connected();
  const before = FakePeerConnection.all.length;
  for (let n = 0; n < 20; n += 1) {
    await ann.hears('ben', { type: 'offer', sdp: 'v=0\r\no=- broken 1 IN IP4 127.0.0.1\r\n' });
  }
  assert.ok(FakePeerConnection.all.length - before <= 40);
  const paced = FakePeerConnection.all.length;
  await ann.hears('ben', { type: 'answer', sdp: 'v=0\r\no=- 5 1 IN IP4 127.0.0.1\r\n' });
  await ann.hears('ben', { type: 'answer', sdp: 'v=0\r\no=- 6 1 IN IP4 127.0.0.1\r\n' });
  assert.equal(FakePeerConnection.all.length, paced);
});

test('a connection that does not come about is built again: first by the impolite end', async () => {
  const { clock, ann, ben } = couple();
  ann.call.start();
  ben.call.start();
  await talk(ann, ben);
  const [a, b] = [ann.pc('ben'), ben.pc('ann')];
  await clock.advance(7_999);
  assert.deepEqual([ann.pc('ben'), ben.pc('ann')], [a, b]);
  await clock.advance(1);
  assert.equal(ann.pc('ben'), a);
  assert.notEqual(ben.pc('ann'), b);
  await talk(ann, ben);
  assert.notEqual(ann.pc('ben'), a);
  assert.ok(agreed(ann, ben));
});

test('the polite end waits half as long again', async () => {
  const { clock, ann } = couple();
  ann.call.start();
  const before = ann.pc('ben');
  await clock.advance(11_999);
  assert.equal(ann.pc('ben'), before);
  await clock.advance(1);
  assert.notEqual(ann.pc('ben'), before);
});

test('it is given up after some minutes, and taken up again by an offer', async () => {
  const { clock, ann, ben } = couple();
  ben.call.start();
  await clock.advance(10 * 60_000);
  assert.equal(ben.link('ann').state, 'failed');
  assert.equal(types(await ben.said()).length, 9);
  ann.call.start();
  await talk(ann, ben);
  assert.ok(agreed(ann, ben));
});

test('a link that failed is tried again when the server is back', async () => {
  const { clock, ben } = couple();
  ben.call.start();
  await clock.advance(10 * 60_000);
  ben.room.becomes('reconnecting');
  ben.room.becomes('connected');
  assert.equal(ben.link('ann').state, 'connecting');
});

test('a connection that is interrupted is restarted after three seconds, with fresh ICE servers', async () => {
  const { clock, ben } = await connected();
  const pc = ben.pc('ann');
  ben.room.iceServers = [{ urls: 'turn:turn.example' }];
  pc.become('disconnected');
  assert.equal(ben.link('ann').state, 'interrupted');
  await clock.advance(2_999);
  assert.equal(pc.restarts, 0);
  await clock.advance(1);
  assert.equal(pc.restarts, 1);
  assert.deepEqual(pc.configuration.iceServers, [{ urls: 'turn:turn.example' }]);
  assert.deepEqual(types(await ben.said()), ['offer']);
  await clock.advance(8_000);
  assert.notEqual(ben.pc('ann'), pc, 'and built again if that does not help');
});

test('a connection that comes back by itself is left alone', async () => {
  const { clock, ben } = await connected();
  const pc = ben.pc('ann');
  pc.become('disconnected');
  await clock.advance(2_000);
  pc.become('connected');
  await clock.advance(60_000);
  assert.equal(ben.pc('ann'), pc);
  assert.equal(pc.restarts, 0);
});

test('a connection that the other end closed cannot be restarted, only built again', async () => {
  const { clock, ben } = await connected();
  const pc = ben.pc('ann');
  pc.channelBecomes('closed');
  assert.equal(ben.link('ann').state, 'interrupted');
  await clock.advance(3_000);
  assert.equal(pc.restarts, 0);
  assert.notEqual(ben.pc('ann'), pc);
});

test('while the server cannot be reached nothing is torn down', async () => {
  const { clock, ben } = await connected();
  const pc = ben.pc('ann');
  ben.room.becomes('reconnecting');
  pc.become('disconnected');
  await clock.advance(120_000);
  assert.equal(ben.pc('ann'), pc);
  ben.room.becomes('connected');
  await clock.advance(3_000);
  assert.equal(pc.restarts, 1);
});

test('a glare on a link that works does not endanger it', async () => {
  const { clock, ann, ben } = await connected();
  const [a, b] = [ann.pc('ben'), ben.pc('ann')];
  a.restartIce();
  b.restartIce();
  await talk(ann, ben);
  await clock.advance(60_000);
  assert.deepEqual([ann.pc('ben'), ben.pc('ann')], [a, b]);
});

test('a bye ends the link and is told; the peer can call again', async () => {
  const { ann, ben } = await connected();
  ben.call.hangUp('enough');
  assert.equal(ben.call.active, false);
  const [{ to, message }] = await ben.said();
  assert.deepEqual([to, message], [null, { type: 'bye', reason: 'enough' }]);
  await ann.hears('ben', message);
  assert.deepEqual(ann.events.at(-1), { name: 'bye', peer: ben.room.self, reason: 'enough' });
  assert.equal(ann.call.links.size, 0);
  ben.call.start();
  await talk(ann, ben);
  assert.ok(agreed(ann, ben));
});

test('whoever has hung up does not answer', async () => {
  const { ann, ben } = await connected();
  ben.call.hangUp();
  await ben.said();
  const pcs = FakePeerConnection.all.length;
  ann.link('ben').offer();
  await talk(ann, ben);
  assert.equal(FakePeerConnection.all.length, pcs + 1);
  assert.equal(ben.call.links.size, 0);
});

test('a peer that leaves takes its link along', async () => {
  const { ann, ben } = await connected();
  const pc = ann.pc('ben');
  ann.room.goes(ben.room.self);
  assert.equal(pc.signalingState, 'closed');
  assert.deepEqual(ann.states().slice(-1), ['closed']);
  assert.equal(ann.call.links.size, 0);
});

test('a peer that the server no longer hears of is kept as long as the link works', async () => {
  const { ann, ben } = await connected();
  const pc = ann.pc('ben');
  ann.room.goes(ben.room.self, 'expired');
  assert.equal(ann.link('ben').state, 'connected');
  ann.room.comes(ben.room.self);
  assert.equal(ann.pc('ben'), pc, 'and if it comes back, nothing happened');
  ann.room.goes(ben.room.self, 'expired');
  pc.become('disconnected');
  assert.equal(ann.call.links.size, 0);
});

test('after the server lost its memory, links that work are left alone and others are made anew', async () => {
  const { ann, ben } = await connected();
  const pc = ann.pc('ben');
  const roster = [ben.room.self];
  ann.room.emit('resumed', { lost: true, renamed: false, roster });
  assert.equal(ann.pc('ben'), pc);
  pc.become('disconnected');
  ann.room.emit('resumed', { lost: true, renamed: false, roster });
  assert.notEqual(ann.pc('ben'), pc);
});

test('under a new id the old link carries on until there is a new one', async () => {
  const { ann, ben } = await connected();
  const old = ann.pc('ben');
  const again = { id: 'ben-again', name: 'Ben', order: 1 };
  ann.room.self = { id: 'ann-again', name: 'Ann', order: 2 };
  ann.room.comes(again);
  ann.room.emit('resumed', { lost: true, renamed: true, roster: [again] });
  assert.deepEqual(types(await ann.said()), ['offer']);
  assert.equal(old.connectionState, 'connected');
  ann.room.goes(ben.room.self, 'expired');
  assert.equal(old.connectionState, 'connected');
  ann.pc('ben-again').connect();
  assert.equal(old.connectionState, 'closed');
  assert.deepEqual([...ann.call.links.keys()], ['ben-again']);
});

test('chat goes to every open channel', async () => {
  const { ann } = await connected();
  assert.equal(ann.call.say('hello'), 1);
  assert.deepEqual(ann.pc('ben').channel.said, ['hello']);
  ann.pc('ben').channel.onmessage({ data: 'hi' });
  assert.deepEqual(ann.events.at(-1), { name: 'data', peer: ann.room.peers.get('ben'), data: 'hi' });
  ann.pc('ben').channelBecomes('closed');
  assert.equal(ann.call.say('anybody?'), 0);
  assert.deepEqual(ann.events.filter(({ name }) => name === 'channel').map(({ open }) => open), [true, false]);
});

test('a stream can be replaced without negotiating, and a new kind is added', async () => {
  const track = (kind) => ({ kind });
  const stream = (...tracks) => ({ getTracks: () => tracks });
  const [voice, other, camera] = [track('audio'), track('audio'), track('video')];
  const { ann } = await connected({ stream: stream(voice) });
  const pc = ann.pc('ben');
  assert.equal(pc.sent.get('audio'), voice);
  ann.call.replaceStream(stream(other));
  assert.deepEqual(types(await ann.said()), []);
  assert.equal(pc.sent.get('audio'), other);
  ann.call.replaceStream(stream(other, camera));
  assert.deepEqual(types(await ann.said()), ['offer']);
  assert.equal(pc.sent.get('video'), camera);
});

test('the end of the room is the end of the call', async () => {
  const { ann } = await connected();
  const pc = ann.pc('ben');
  ann.room.becomes('superseded');
  assert.equal(ann.call.active, false);
  assert.equal(pc.signalingState, 'closed');
  assert.deepEqual(await ann.said(), [], 'nobody is told: another tab is talking with them');
});
