import assert from 'node:assert/strict';
import { test } from 'node:test';

import { agreed, talk } from '../support/company.js';
import { connected, types } from '../support/connected.js';
import { sdp } from '../support/sdp.js';

// Ben is impolite: he waits 15 s after the first offer. Regression: a lost offer left his end in `have-local-offer` for the rest
// of the call, and he ignored all of Ann's offers.

const events = (member) => member.events.filter(({ name }) => name === 'offer-unanswered').map(({ attempts, final }) => [attempts, final]);

/** An established call in which an offer of Ben's is lost. */
async function lost() {
  const pair = await connected();
  pair.ben.pc('ann').restartIce();
  assert.deepEqual(types(await pair.ben.said()), ['offer']);
  return { ...pair, pc: pair.ben.pc('ann') };
}

test('an offer that is not answered is rolled back and made again', async () => {
  const { clock, ann, ben, pc } = await lost();
  await clock.advance(14_999);
  assert.deepEqual([pc.signalingState, events(ben)], ['have-local-offer', []]);
  await clock.advance(1);
  assert.deepEqual(events(ben), [[1, false]]);
  await talk(ann, ben);
  assert.ok(agreed(ann, ben));
  assert.equal(ben.pc('ann'), pc, 'on the same connection');
  await clock.advance(10 * 60_000);
  assert.deepEqual([events(ben), ben.states().at(-1)], [[[1, false]], 'connected']);
});

test('an offer of the peer’s is answered after the rollback', async () => {
  const { clock, ann, ben, pc } = await lost();
  ann.pc('ben').restartIce();
  await talk(ann, ben);
  assert.ok(!agreed(ann, ben), 'the impolite end insists');
  await clock.advance(15_000);
  await talk(ann, ben);
  assert.ok(agreed(ann, ben));
  assert.equal(ben.pc('ann'), pc);
});

test('after four offers without an answer it stops, able to negotiate, and leaves the call alone', async () => {
  const { clock, ben, pc } = await lost();
  await clock.advance(10 * 60_000);
  assert.deepEqual(events(ben), [[1, false], [2, false], [3, false], [4, true]]);
  assert.deepEqual(types(await ben.said()), ['offer', 'offer', 'offer']);
  assert.deepEqual([ben.pc('ann'), pc.signalingState, ben.link('ann').state], [pc, 'stable', 'connected']);
});

/** Each row: a reason to offer again. */
const reasons = {
  'the peer offers': ({ ann, ben }) => ben.hears('ann', { type: 'offer', sdp: sdp(ann.pc('ben').session) }),
  'the server is back': async ({ ben }) => { ben.room.becomes('reconnecting'); ben.room.becomes('connected'); },
  'the stream is replaced': async ({ ben }) => ben.call.replaceStream({ getTracks: () => [] }),
};

for (const [name, happens] of Object.entries(reasons)) {
  test(`it offers again when ${name}`, async () => {
    const { clock, ann, ben, pc } = await lost();
    await clock.advance(10 * 60_000);
    await ben.said();
    await happens({ ann, ben });
    assert.ok(types(await ben.said()).includes('offer'));
    assert.equal(pc.signalingState, 'have-local-offer');
    await clock.advance(15_000);
    assert.deepEqual(events(ben).at(-1), [1, false], 'with as much effort as at first');
  });
}

test('the time in which the server cannot be reached does not count', async () => {
  const { clock, ben, pc } = await lost();
  ben.room.becomes('reconnecting');
  await clock.advance(10 * 60_000);
  assert.deepEqual([events(ben), pc.signalingState], [[], 'have-local-offer']);
  ben.room.becomes('connected');
  await clock.advance(15_000);
  assert.deepEqual(events(ben), [[1, false]]);
});

test('answers to the withdrawn offer and to its successor are both taken', async () => {
  const { clock, ann, ben } = await connected();
  const pc = ben.pc('ann');
  // No ICE restart, so that both answers have the same credentials.
  pc.onnegotiationneeded();
  const [{ message: first }] = await ben.said();
  await clock.advance(15_000);
  const [{ message: second }] = await ben.said();
  assert.notEqual(first.sdp, second.sdp);
  for (const offer of [first, second]) await ann.hears('ben', offer);
  const answers = (await ann.said()).map(({ message }) => message);
  assert.deepEqual(answers.map(({ type }) => type), ['answer', 'answer']);
  for (const answer of answers) await ben.hears('ann', answer);
  assert.deepEqual([ben.pc('ann'), pc.signalingState, ben.link('ann').state], [pc, 'stable', 'connected']);
});

test('a connection that breaks meanwhile is repaired as a whole', async () => {
  const { clock, ben, pc } = await lost();
  pc.become('failed');
  await clock.advance(8_000);
  assert.notEqual(ben.pc('ann'), pc);
  assert.deepEqual(events(ben), []);
});
