import assert from 'node:assert/strict';
import { test } from 'node:test';

import { cardOf } from '../../../web/client/rtc/card.js';
import { FakeClock, settled } from '../support/clock.js';
import { Member, talk } from '../support/company.js';
import { types } from '../support/connected.js';
import { FakePeerConnection } from '../support/peer-connection.js';
import { sdp } from '../support/sdp.js';

const track = (kind) => ({ kind });
const streamOf = (...kinds) => ({ getTracks: () => kinds.map(track) });

/** Ann in a call with Ben, whose card says this. She joined later and so offers. */
function meeting(rtc, options) {
  const clock = new FakeClock();
  const ben = { id: 'ben', name: 'Ben', order: 1, metadata: { rtc } };
  const ann = { id: 'ann', name: 'Ann', order: 2 };
  const pair = { clock, ann: new Member(clock, ann, [ben], options), ben: new Member(clock, ben, [ann]) };
  pair.ben.call.start();
  pair.ann.call.start();
  return pair;
}

async function connected(rtc, options) {
  const pair = meeting(rtc, options);
  await talk(pair.ann, pair.ben);
  pair.ann.pc('ben').become('connected');
  assert.equal(pair.ann.link('ben').state, 'connected');
  return pair;
}

const sections = (member) => member.pc('ben').transceivers.map(({ kind, direction }) => `${kind} ${direction}`);

test('what a card says is taken as it is meant, and nothing else', () => {
  const everything = { trickle: true, renegotiates: true, channel: true, sends: true, receives: true };
  for (const metadata of [undefined, null, {}, 'rtc', { rtc: null }, { rtc: [] }, { rtc: { trickle: 'no', channel: 0, direction: 'up' } }]) {
    assert.deepEqual(cardOf(metadata), everything);
  }
  const nothing = { trickle: false, renegotiates: false, channel: false, direction: 'inactive' };
  assert.deepEqual(cardOf({ rtc: nothing }), { trickle: false, renegotiates: false, channel: false, sends: false, receives: false });
  assert.deepEqual(cardOf({ rtc: { direction: 'sendonly' } }), { ...everything, receives: false });
  assert.deepEqual(cardOf({ rtc: { direction: 'recvonly' } }), { ...everything, sends: false });
});

test('a peer without a channel is offered none, and can be sent no chat', async () => {
  const { ann } = await connected({ channel: false }, { stream: streamOf('video') });
  assert.equal(ann.pc('ben').channel, undefined);
  assert.equal(ann.link('ben').channel, null);
  assert.equal(ann.call.say('hello'), 0);
  ann.call.close();
});

test('an offer to a peer without a channel has sections for its media, even if this end sends nothing', async () => {
  const { ann } = meeting({ channel: false });
  assert.deepEqual(types(await ann.said()), ['offer']);
  assert.deepEqual(sections(ann), ['audio recvonly', 'video recvonly']);
});

test('this end makes no offer of its own where it has answered one and has nothing to negotiate', async () => {
  const { ann } = meeting({});
  ann.room.comes({ id: 'cam', name: 'Camera', order: 3, metadata: { rtc: { channel: false } } });
  await ann.said();
  await ann.hears('cam', { type: 'offer', sdp: sdp('of the camera') });
  const ours = await ann.said();
  assert.deepEqual(types(ours.filter(({ to }) => to === 'cam')), ['answer']);
});

test('a peer that negotiates once is asked for everything at once', async () => {
  const { ann } = meeting({ renegotiates: false }, { stream: streamOf('audio') });
  assert.deepEqual(types(await ann.said()), ['offer']);
  assert.deepEqual(sections(ann), ['audio sendrecv', 'video recvonly']);
});

test('and for nothing later, unlike any other', async () => {
  const { ann: other } = await connected({}, { stream: streamOf('audio') });
  other.call.replaceStream(streamOf('audio', 'video'));
  assert.deepEqual(types(await other.said()), ['offer']);
  const { ann } = await connected({ renegotiates: false }, { stream: streamOf('audio') });
  ann.call.replaceStream(streamOf('audio', 'video'));
  assert.deepEqual(await ann.said(), []);
});

test('where others restart ICE, the connection with such a peer is replaced', async () => {
  for (const renegotiates of [true, false]) {
    const { ann } = await connected({ renegotiates });
    const before = ann.pc('ben');
    before.become('failed');
    assert.deepEqual(types(await ann.said()), ['offer']);
    assert.equal(before.restarts, renegotiates ? 1 : 0);
    assert.equal(ann.pc('ben') === before, renegotiates);
  }
});

test('a peer that only sends is sent nothing, now or later', async () => {
  const { ann } = await connected({ direction: 'sendonly' }, { stream: streamOf('audio', 'video') });
  assert.deepEqual([...ann.pc('ben').sent], []);
  ann.call.replaceStream(streamOf('audio'));
  assert.deepEqual(await ann.said(), []);
  assert.deepEqual([...ann.pc('ben').sent], []);
});

test('a peer that only receives is not asked for media', async () => {
  const { ann } = meeting({ direction: 'recvonly', renegotiates: false }, { stream: streamOf('video') });
  assert.deepEqual(types(await ann.said()), ['offer']);
  assert.deepEqual(sections(ann), ['video sendonly']);
});

/** A connection that has not found all its candidates when the description is made. */
function slow(test) {
  const { setLocalDescription } = FakePeerConnection.prototype;
  FakePeerConnection.prototype.setLocalDescription = function describe(...args) {
    this.iceGatheringState = 'gathering';
    return setLocalDescription.apply(this, args);
  };
  test.after(() => { FakePeerConnection.prototype.setLocalDescription = setLocalDescription; });
}

test('a peer that takes no candidates by themselves gets the description when all are in it', async (t) => {
  slow(t);
  const { ann } = meeting({ trickle: false });
  await settled();
  assert.deepEqual(ann.room.mail, []);
  ann.pc('ben').gathers();
  await settled();
  assert.deepEqual(types(ann.room.mail), ['offer']);
});

// Regression: after a restart of ICE, Chromium says for a moment that it is complete.
test('a description without candidates is not complete, whatever the browser says, until it says so again', async (t) => {
  const { setLocalDescription } = FakePeerConnection.prototype;
  FakePeerConnection.prototype.setLocalDescription = async function describe(...args) {
    await setLocalDescription.apply(this, args);
    this.localDescription.sdp = this.localDescription.sdp.replace(/^a=candidate:.*\r\n/m, '');
  };
  t.after(() => { FakePeerConnection.prototype.setLocalDescription = setLocalDescription; });
  const { ann } = meeting({ trickle: false });
  await settled();
  assert.deepEqual(types(ann.room.mail.filter(({ message }) => message.type === 'offer')), []);
  ann.pc('ben').gathers();
  await settled();
  assert.deepEqual(types(ann.room.mail), ['offer']);
});

test('a STUN server that does not answer holds up the description for four seconds', async (t) => {
  slow(t);
  const { ann, clock } = meeting({ trickle: false });
  await settled();
  await clock.advance(3_999);
  assert.deepEqual(ann.room.mail, []);
  await clock.advance(1);
  await settled();
  assert.deepEqual(types(ann.room.mail), ['offer']);
});
