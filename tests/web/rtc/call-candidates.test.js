import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settled } from '../support/clock.js';
import { couple, talk } from '../support/company.js';
import { connected, types } from '../support/connected.js';
import { sdp } from '../support/sdp.js';

const candidate = (n, usernameFragment) => ({ type: 'candidate', candidate: { candidate: `candidate:${n}`, usernameFragment } });
const numbers = (pc) => pc.candidates.map((one) => one && parseInt(one.candidate.split(':')[1], 10));

/** Ben waits for Ann, who has just joined. */
async function waiting() {
  const { ann, ben } = couple();
  ben.room.peers.clear();
  ben.call.start();
  ben.room.comes(ann.room.self);
  return ben;
}

// Candidates arrive first from a peer that gathers before it sends its description, or posts without waiting for its earlier
// posts. Regression: they were dropped, and with them the only path to the peer.
test('candidates that come before the offer are kept for it, in their order', async () => {
  const ben = await waiting();
  for (const n of [1, 2]) await ben.hears('ann', candidate(n));
  await ben.hears('ann', { type: 'candidate', candidate: null });
  await ben.hears('ann', { type: 'offer', sdp: sdp('anns') });
  assert.deepEqual(numbers(ben.pc('ann')), [1, 2, null]);
  assert.deepEqual(types(await ben.said()), ['answer']);
});

test('so are those of a peer from which nothing else was heard', async () => {
  const ben = await waiting();
  ben.link('ann').close();
  await ben.hears('ann', candidate(1));
  await ben.hears('ann', { type: 'offer', sdp: sdp('anns') });
  assert.deepEqual(numbers(ben.pc('ann')), [1]);
});

test('those that name the coming offer wait for it, though there is a connection', async () => {
  const { ann, ben } = await connected();
  const old = ben.pc('ann');
  const before = numbers(old);
  const late = candidate(2);
  late.candidate.candidate = 'candidate:2 1 udp 1 10.0.0.1 9 typ host generation 0 ufrag next network-id 1';
  for (const one of [candidate(1, 'next'), late, candidate(3, ann.pc('ben').ufrag)]) await ben.hears('ann', one);
  assert.deepEqual(numbers(old).slice(before.length), [3], 'the connection that there is has its own');
  await ben.hears('ann', { type: 'offer', sdp: sdp('anns next', { ufrag: 'next' }) });
  assert.notEqual(ben.pc('ann'), old);
  assert.deepEqual(numbers(ben.pc('ann')), [1, 2]);
  assert.deepEqual(numbers(old).slice(before.length), [3]);
});

test('those of an ICE restart wait for its offer, and go to the connection that there is', async () => {
  const { ann, ben } = await connected();
  const pc = ben.pc('ann');
  const before = numbers(pc).length;
  await ben.hears('ann', candidate(1, 'restarted'));
  assert.equal(numbers(pc).length, before);
  await ben.hears('ann', { type: 'offer', sdp: sdp(ann.pc('ben').session, { ufrag: 'restarted' }) });
  assert.equal(ben.pc('ann'), pc);
  assert.deepEqual(numbers(pc).slice(before), [1]);
});

test('those of an offer that was ignored are not given to the answer', async () => {
  const { ann, ben } = couple();
  ben.call.start();
  await settled();
  await ben.hears('ann', { type: 'offer', sdp: sdp('ignored', { ufrag: 'ignored' }) });
  await ben.hears('ann', candidate(1, 'ignored'));
  await ben.hears('ann', candidate(2, 'answer'));
  await ben.hears('ann', { type: 'answer', sdp: sdp('anns', { ufrag: 'answer' }) });
  assert.deepEqual(numbers(ben.pc('ann')), [2]);
  assert.equal(ann.call.links.size, 0);
});

test('a connection that this end replaces hands them on', async () => {
  const { ben } = couple();
  ben.call.start();
  await settled();
  await ben.hears('ann', candidate(1));
  ben.link('ann').offer();
  await settled();
  await ben.hears('ann', { type: 'answer', sdp: sdp('anns') });
  assert.deepEqual(numbers(ben.pc('ann')), [1]);
});

test('no more are kept than a description can have', async () => {
  const ben = await waiting();
  for (let n = 0; n < 500; n += 1) await ben.hears('ann', candidate(n));
  await ben.hears('ann', { type: 'offer', sdp: sdp('anns') });
  assert.deepEqual([numbers(ben.pc('ann')).length, numbers(ben.pc('ann')).at(-1)], [128, 499]);
});

test('a peer that leaves and returns starts over', async () => {
  const { ann, ben } = await connected();
  await ben.hears('ann', candidate(1, 'stale'));
  ben.room.goes(ann.room.self);
  ben.room.comes(ann.room.self);
  await ben.hears('ann', { type: 'offer', sdp: sdp('anns', { ufrag: 'stale' }) });
  assert.deepEqual(numbers(ben.pc('ann')), []);
  await talk(ann, ben).catch(() => {});
});

// Native libraries hand out the line alone, or call the section `mid`. Regression: browsers refused them, and nothing was said.
test('one without a section is for the first', async () => {
  const ben = await waiting();
  await ben.hears('ann', { type: 'offer', sdp: sdp('anns') });
  const line = 'candidate:1 1 udp 1 192.0.2.1 9 typ host';
  for (const place of [{}, { mid: '1' }, { sdpMid: null, sdpMLineIndex: null }]) await ben.hears('ann', { type: 'candidate', candidate: { candidate: line, ...place } });
  for (const place of [{ sdpMid: '1' }, { sdpMid: '' }, { sdpMLineIndex: 1 }]) await ben.hears('ann', { type: 'candidate', candidate: { candidate: line, ...place } });
  for (const end of [null, { candidate: '' }]) await ben.hears('ann', { type: 'candidate', candidate: end });
  assert.deepEqual(ben.pc('ann').candidates.map((one) => one && (one.sdpMid ?? one.sdpMLineIndex)), [0, 0, 0, '1', '', 1, null, undefined]);
});

// Regression: those of a program that was restarted went to the connection that it no longer had.
test('those without a name, right before the offer of a new connection, are tried on that one, too', async () => {
  const { ben } = await connected();
  const old = ben.pc('ann');
  const before = numbers(old).length;
  await ben.hears('ann', candidate(1));
  await ben.clock.advance(11_000);
  for (const one of [candidate(2), candidate(3, '')]) await ben.hears('ann', one);
  assert.deepEqual(numbers(old).slice(before), [1, 2, 3], 'they may be late ones of the connection that there is');
  assert.equal(old.candidates.at(-1).usernameFragment, null, 'for browsers an empty name is another one');
  await ben.hears('ann', { type: 'offer', sdp: sdp('restarted', { ufrag: 'restarted' }) });
  assert.notEqual(ben.pc('ann'), old);
  assert.deepEqual(numbers(ben.pc('ann')), [2, 3]);
});

// Some programs send a description at once, and again when they have gathered. Regression: the second answer replaced the
// connection, whose successor got two answers as well; of a second offer the candidates were not read.
test('candidates in a description that is sent again are added, and nothing else happens', async () => {
  const lines = ['a=candidate:8 1 udp 1 10.0.0.1 9 typ host', 'm=audio 9 UDP/TLS/RTP/SAVPF 0', 'a=candidate:9 1 udp 1 10.0.0.1 9 typ host', 'a=end-of-candidates'];
  for (const type of ['offer', 'answer']) {
    const { ann, ben } = couple();
    ben.call.start();
    if (type === 'offer') ben.room.comes(ann.room.self);
    await settled();
    await ben.said();
    const bare = sdp('anns', { origin: '5 2', lines: [lines[1]] });
    await ben.hears('ann', { type, sdp: bare });
    const pc = ben.pc('ann');
    pc.connect();
    await ben.said();
    await ben.hears('ann', { type, sdp: sdp('anns', { origin: '5 2', lines }) });
    assert.equal(ben.pc('ann'), pc, type);
    assert.deepEqual(pc.candidates.map((one) => [one.candidate.split(' ')[0], one.sdpMLineIndex]), [['candidate:8', 0], ['candidate:9', 1]]);
    assert.deepEqual([types(await ben.said()), ben.link('ann').state], [[], 'connected']);
  }
});
