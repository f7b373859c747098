import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settled } from '../support/clock.js';
import { agreed, couple, talk } from '../support/company.js';
import { connected, refreshed, types } from '../support/connected.js';
import { FakeMediaStream } from '../support/peer-connection.js';
import { sdp } from '../support/sdp.js';

test('a peer that joins offers; the others wait', async () => {
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

test('a peer offers after waiting for five seconds', async () => {
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
  assert.ok(agreed(ann, ben));
  assert.deepEqual(ann.states(), ['connecting', 'connected']);
  assert.deepEqual(ben.states(), ['connecting', 'connected']);
});

test('candidates are passed on, and so is their end', async () => {
  const { ann, ben } = couple();
  ann.call.start();
  await settled();
  const pc = ann.pc('ben');
  pc.onicecandidate({ candidate: null });
  const candidates = ann.room.mail.filter(({ message }) => message.type === 'candidate');
  assert.deepEqual(candidates.map(({ message }) => message.candidate), [{ candidate: `of ${pc.session}` }, null]);
  assert.deepEqual(candidates.map(({ to }) => to), ['ben', 'ben']);
  assert.equal(ben.call.links.size, 0);
});

test('both ends agree on the channel beforehand', async () => {
  const { ann } = await connected();
  assert.deepEqual(ann.pc('ben').channel.options, { negotiated: true, id: 0 });
});

test('channels of the application are made with every connection to peers that know them, and told of as they open', async () => {
  const { ann, ben } = couple({ channels: { files: 100, games: 102 } });
  ann.room.peers.get('ben').metadata = { rtc: { files: true, games: 'yes' } };
  ben.call.start();
  ann.call.start();
  await talk(ann, ben);
  assert.deepEqual(ben.pc('ann').more, []);
  const opened = () => ann.events.filter(({ name }) => name === 'data-channel').map(({ peer, channel }) => [peer.id, channel]);
  const first = ann.pc('ben').more[0];
  assert.deepEqual([first.label, first.options, ann.pc('ben').more.length], ['files', { negotiated: true, id: 100 }, 1]);
  assert.deepEqual(opened(), []);
  first.onopen();
  ann.link('ben').offer();
  await talk(ann, ben);
  const [second] = ann.pc('ben').more;
  second.onopen();
  // That of a connection that was replaced.
  first.onopen();
  assert.deepEqual(opened(), [['ben', first], ['ben', second]]);
  assert.equal(ann.link('ben').channel.label, 'chat');
});

test('a stream of the other end is shown', async () => {
  const { ann } = await connected();
  const stream = new FakeMediaStream();
  ann.pc('ben').ontrack({ streams: [stream] });
  assert.deepEqual(ann.events.filter(({ name }) => name === 'stream').map((event) => event.stream), [stream]);
});

test('a connection that was replaced has no say any more', async () => {
  const { ann, ben } = await connected();
  const old = ann.pc('ben');
  ann.link('ben').offer();
  await talk(ann, ben);
  const before = ann.events.length;
  old.become('failed');
  old.ontrack({ streams: ['a stream'] });
  old.onicecandidate({ candidate: null });
  assert.equal(ann.events.length, before);
  assert.deepEqual(ann.room.mail, []);
});

test('politeness may change when the server restarts', async () => {
  const { ann, ben } = await connected();
  ann.room.peers.set('ben', { ...ben.room.self, order: 3 });
  const pc = ann.pc('ben');
  pc.restartIce();
  await settled();
  await ann.hears('ben', { type: 'offer', sdp: sdp(ben.pc('ann').session) });
  assert.equal(pc.signalingState, 'have-local-offer', 'it insists on its own offer');
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
    assert.ok(agreed(again, other), 'without any waiting');
  });
}
