import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settled } from '../support/clock.js';
import { agreed, couple, talk } from '../support/company.js';
import { connected, types } from '../support/connected.js';
import { FakePeerConnection } from '../support/peer-connection.js';
import { sdp } from '../support/sdp.js';

test('an offer that collides is repeated once, not forever', async () => {
  const { ann, ben } = couple();
  ben.call.start();
  const [{ message: first }] = await ben.said();
  for (let n = 0; n < 3; n += 1) await ben.hears('ann', { type: 'offer', sdp: sdp('anns') });
  assert.deepEqual((await ben.said()).map(({ message }) => message), [first]);
  assert.equal(ann.call.links.size, 0);
});

test('a repeated offer is answered once', async () => {
  const { ann, ben } = couple();
  ann.call.start();
  const [{ message: offer }] = await ann.said();
  ben.room.peers.clear();
  ben.call.start();
  ben.room.comes(ann.room.self);
  await ben.hears('ann', offer);
  await ben.hears('ann', offer);
  assert.deepEqual(types(await ben.said()), ['answer']);
});

test('candidates that come before the description wait for it', async () => {
  const { ann, ben } = couple();
  ann.call.start();
  const offer = (await ann.said())[0].message;
  ben.call.start();
  await settled();
  const pc = ben.pc('ann');
  await ben.hears('ann', { type: 'candidate', candidate: { candidate: 'early', sdpMid: '0' } });
  assert.deepEqual(pc.candidates, []);
  const answer = { type: 'answer', sdp: offer.sdp };
  await ben.hears('ann', answer);
  assert.deepEqual(pc.candidates, [{ candidate: 'early', sdpMid: '0' }]);
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

test('an answer to no offer means that the ends are out of step: they start over', async () => {
  const { ann, ben } = await connected();
  const before = ann.pc('ben');
  await ann.hears('ben', { type: 'answer', sdp: sdp('nobody') });
  assert.notEqual(ann.pc('ben'), before);
  await talk(ann, ben);
  assert.ok(agreed(ann, ben));
});

test('ends that stay out of step do not start over forever', async () => {
  const { ann } = await connected();
  const before = FakePeerConnection.all.length;
  for (let n = 0; n < 20; n += 1) {
    await ann.hears('ben', { type: 'offer', sdp: sdp('x', { lines: ['broken'] }) });
  }
  assert.ok(FakePeerConnection.all.length - before <= 40);
  const paced = FakePeerConnection.all.length;
  await ann.hears('ben', { type: 'answer', sdp: sdp('nobody') });
  await ann.hears('ben', { type: 'answer', sdp: sdp('somebody') });
  assert.equal(FakePeerConnection.all.length, paced);
});

test('a connection that does not come up is replaced, first by the impolite end', async () => {
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
  const pc = ben.pc('ann');
  await clock.advance(8_000);
  assert.notEqual(ben.pc('ann'), pc, 'with as much effort as at first');
});

test('a connection that is interrupted is restarted after three seconds, with the newest ICE servers', async () => {
  const { clock, ben } = await connected();
  const pc = ben.pc('ann');
  ben.room.iceServers = [{ urls: 'turn:turn.example' }];
  ben.room.emit('ice-servers', ben.room.iceServers);
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

test('a channel that the other end does not know harms nobody', async () => {
  const { clock, ann, ben } = couple();
  ann.call.start();
  ben.call.start();
  await talk(ann, ben);
  const pc = ann.pc('ben');
  pc.become('connected');
  pc.channelBecomes('closed');
  await clock.advance(60_000);
  assert.equal(ann.pc('ben'), pc);
  assert.equal(ann.link('ben').state, 'connected');
});

test('a connection that works makes up for those that did not', async () => {
  const { clock, ben } = couple();
  ben.call.start();
  await clock.advance(8_000 + 12_000);
  ben.pc('ann').connect();
  const pc = ben.pc('ann');
  pc.become('disconnected');
  await clock.advance(3_000);
  assert.equal(pc.restarts, 1, 'waits are short again');
});

test('a peer that comes back while its old link is being repaired is waited for', async () => {
  const { clock, ann, ben } = await connected();
  const old = ben.pc('ann');
  old.become('disconnected');
  ben.room.emit('peer-joined', ann.room.self);
  assert.equal(ben.link('ann').state, 'waiting');
  assert.equal(ben.pc('ann'), null);
  await clock.advance(4_999);
  assert.deepEqual(types(await ben.said()), []);
});
