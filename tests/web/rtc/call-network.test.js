import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Unreachable } from '../../../web/client/wire/problem.js';
import { settled } from '../support/clock.js';
import { talk } from '../support/company.js';
import { connected, types } from '../support/connected.js';

const media = { track: { muted: false, readyState: 'live' } };
const changes = (member) => member.room.emit('network-changed', {});
const cut = (member, reason) => member.room.emit('state', { state: 'reconnecting', error: new Unreachable(reason) });

/** The other end sends every 100 ms. */
function alive(clock, pc) {
  pc.received += 1;
  clock.after(100, () => alive(clock, pc));
}

async function inCall() {
  const pair = await connected();
  const pc = pair.ann.pc('ben');
  pc.receivers = [media];
  return { ...pair, pc };
}

// Regression: Chromium reports a lost connection 6 s after the network is lost, and then we waited another 3 s.
for (const [what, happens] of [['the network changed', changes], ['a request failed', (member) => cut(member, 'network')], ['one was not answered', (member) => cut(member, 'timeout')]]) {
  test(`when ${what} and nothing comes any more, ICE is restarted within a second`, async () => {
    const { clock, ann, ben, pc } = await inCall();
    happens(ann);
    await clock.advance(1_000);
    assert.equal(pc.restarts, 1);
    assert.deepEqual(types(await ann.said()), ['offer']);
    assert.equal(ann.pc('ben'), pc, 'on the connection that there is');
    assert.equal(ben.pc('ann').restarts, 0, 'by the end whose network it is');
  });
}

test('a server that goes down restarts nothing, as long as something comes from the other end', async () => {
  const { clock, ann, pc } = await inCall();
  alive(clock, pc);
  cut(ann, 'network');
  await clock.advance(60_000);
  assert.equal(pc.restarts, 0);
});

test('nor does one that answers something else', async () => {
  const { clock, ann, pc } = await inCall();
  for (const reason of ['gateway', 'foreign', 'stale']) cut(ann, reason);
  await clock.advance(60_000);
  assert.equal(pc.restarts, 0);
});

test('a connection without media is silent for seconds, and is not restarted for that', async () => {
  const { clock, ann, pc } = await inCall();
  pc.receivers = [];
  const checks = () => { pc.received += 1; clock.after(2_500, checks); };
  checks();
  changes(ann);
  await clock.advance(60_000);
  assert.equal(pc.restarts, 0);
});

test('what is lost only some seconds later is noticed all the same', async () => {
  const { clock, ann, pc } = await inCall();
  const beats = (n) => { pc.received += 1; if (n > 0) clock.after(100, () => beats(n - 1)); };
  beats(30);
  changes(ann);
  await clock.advance(3_000);
  assert.equal(pc.restarts, 0);
  await clock.advance(2_000);
  assert.equal(pc.restarts, 1);
});

test('it waits until the server can be reached', async () => {
  const { clock, ann, pc } = await inCall();
  ann.room.state = 'reconnecting';
  cut(ann, 'network');
  await clock.advance(4_000);
  assert.equal(pc.restarts, 0);
  ann.room.becomes('connected');
  await clock.advance(1_000);
  assert.equal(pc.restarts, 1);
});

test('where a restart does not help it is tried again, and not forever', async () => {
  const { clock, ann, pc } = await inCall();
  changes(ann);
  await clock.advance(60_000);
  assert.ok(pc.restarts > 1 && pc.restarts < 10, `${pc.restarts} restarts`);
  const { restarts } = pc;
  await clock.advance(60_000);
  assert.equal(pc.restarts, restarts);
});

test('one that helps ends it', async () => {
  const { clock, ann, ben, pc } = await inCall();
  changes(ann);
  await clock.advance(1_000);
  await talk(ann, ben);
  alive(clock, pc);
  await clock.advance(60_000);
  assert.equal(pc.restarts, 1);
});

test('both ends may do so at once', async () => {
  const { clock, ann, ben, pc } = await inCall();
  ben.pc('ann').receivers = [media];
  changes(ann);
  changes(ben);
  await clock.advance(1_000);
  await talk(ann, ben);
  for (const one of [pc, ben.pc('ann')]) alive(clock, one);
  await clock.advance(60_000);
  assert.deepEqual([ann.pc('ben'), ann.link('ben').state, ben.link('ann').state], [pc, 'connected', 'connected']);
});

test('of a connection that is closed meanwhile nothing more is asked', async () => {
  const { clock, ann, pc } = await inCall();
  changes(ann);
  pc.getStats = async () => { throw new DOMException('closed', 'InvalidStateError'); };
  ann.link('ben').close();
  await clock.advance(5_000);
  await settled();
  assert.equal(pc.restarts, 0);
});
