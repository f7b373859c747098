import assert from 'node:assert/strict';
import { test } from 'node:test';

import { agreed, couple, talk } from '../support/company.js';
import { connected, types } from '../support/connected.js';
import { FakePeerConnection } from '../support/peer-connection.js';
import { sdp } from '../support/sdp.js';

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

test('a member that has hung up does not answer', async () => {
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

test('after the server lost its state, working links are left alone and others replaced', async () => {
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

test('of several old links each is kept until as many new ones stand', async () => {
  const { clock, ann, ben } = await connected();
  const cem = { id: 'cem', name: 'Cem', order: 0 };
  ann.room.comes(cem);
  ann.link('cem').offer();
  ann.pc('cem').connect();
  const old = [ann.pc('ben'), ann.pc('cem')];
  const roster = [{ ...ben.room.self, id: 'ben-again' }, { ...cem, id: 'cem-again' }];
  ann.room.self = { ...ann.room.self, id: 'ann-again' };
  for (const peer of roster) ann.room.comes(peer);
  ann.room.emit('resumed', { lost: true, renamed: true, roster });
  old[0].become('failed');
  assert.deepEqual(old.map((pc) => pc.connectionState), ['closed', 'connected'], 'one that breaks is not repaired');
  ann.pc('ben-again').connect();
  assert.deepEqual(old.map((pc) => pc.connectionState), ['closed', 'connected'], 'and does not speak for the others');
  ann.pc('cem-again').connect();
  assert.deepEqual(old.map((pc) => pc.connectionState), ['closed', 'closed']);
  await clock.advance(60_000);
  assert.deepEqual([...ann.call.links.keys()], ['ben-again', 'cem-again']);
});

test('an old link that broke is not waited for after the next restart', async () => {
  const { ann, ben } = await connected();
  const renamed = (id, other) => {
    ann.room.self = { ...ann.room.self, id };
    ann.room.comes(other);
    ann.room.emit('resumed', { lost: true, renamed: true, roster: [other] });
  };
  ann.pc('ben').become('disconnected');
  renamed('ann-2', { ...ben.room.self, id: 'ben-2' });
  ann.pc('ben-2').connect();
  const second = ann.pc('ben-2');
  renamed('ann-3', { ...ben.room.self, id: 'ben-3' });
  assert.equal(second.connectionState, 'connected');
  ann.pc('ben-3').connect();
  assert.equal(second.connectionState, 'closed');
});

test('a description that never settles because its connection was replaced holds nothing up', async () => {
  const { ann, ben } = await connected();
  const offer = { type: 'offer', sdp: sdp(ben.pc('ann').session) };
  const heard = ann.hears('ben', offer);
  ann.link('ben').offer();
  await heard;
  assert.deepEqual(types(await ann.said()), ['offer'], 'the one that was replaced says nothing');
  ann.link('ben').offer();
  await talk(ann, ben);
  assert.ok(agreed(ann, ben));
});

test('hanging up on nobody sends nothing', async () => {
  const { ann } = couple();
  ann.room.peers.clear();
  ann.call.start();
  ann.call.hangUp();
  assert.deepEqual(await ann.said(), []);
});

test('chat goes to every open channel', async () => {
  const { ann } = await connected();
  assert.equal(ann.call.say('hello'), 1);
  assert.deepEqual(ann.pc('ben').channel.said, ['hello']);
  ann.pc('ben').channel.onmessage({ data: 'hi' });
  assert.deepEqual(ann.events.at(-1), { name: 'data', peer: ann.room.peers.get('ben'), data: 'hi' });
  const opened = () => ann.events.filter(({ name }) => name === 'channel').map(({ open }) => open);
  ann.pc('ben').channelBecomes('closed');
  assert.equal(ann.call.say('anybody?'), 0);
  assert.deepEqual(opened(), [true, false]);
  ann.link('ben').offer();
  assert.deepEqual(opened(), [true, false], 'it is closed already');
  ann.pc('ben').connect();
  ann.link('ben').offer();
  assert.deepEqual(opened(), [true, false, true, false], 'and so is one that is replaced');
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
  ann.link('ben').offer();
  assert.deepEqual([...ann.pc('ben').sent.values()], [other, camera], 'and later connections have it from the start');
});

test('the end of the room is the end of the call', async () => {
  const { ann } = await connected();
  const pc = ann.pc('ben');
  ann.room.becomes('superseded');
  assert.equal(ann.call.active, false);
  assert.equal(pc.signalingState, 'closed');
  assert.deepEqual(await ann.said(), [], 'nobody is told: another tab is talking with them');
});
