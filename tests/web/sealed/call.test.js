import assert from 'node:assert/strict';
import { test } from 'node:test';

import { newKey } from '../../../web/client/index.js';
import { decode, encode } from '../../../web/client/sealed/base64url.js';
import { RoomKey } from '../../../web/client/sealed/room-key.js';
import { FIELDS, Seals } from '../../../web/client/sealed/seals.js';
import { Relay, connect } from '../support/relay.js';

const KEY = newKey();

/** Ann and Ben in a call, and all messages that the server has passed on. */
async function couple(options = { key: KEY }, relay = new Relay()) {
  const passed = [];
  const { passing } = relay;
  relay.passing = (message, to) => passing(message, to).map((one) => (passed.push({ to, message: one }), one));
  const ann = await relay.member('Ann', options);
  ann.calls();
  const ben = await relay.member('Ben', options);
  ben.calls();
  await connect(ann, ben);
  return { relay, ann, ben, passed };
}

/** The call continues as if nothing had happened. */
async function unharmed({ ann, ben }, pc) {
  assert.deepEqual([ann.link(ben).state, ann.link(ben).verified], ['connected', 'key']);
  assert.equal(ann.link(ben).pc, pc);
  assert.equal(pc.signalingState, 'stable');
  assert.deepEqual(ann.left('bye'), []);
  await ben.room.send(ann.id, { type: 'data', data: 'still here' });
  assert.equal((await ann.next('message', ({ type }) => type === 'data')).data, 'still here');
}

const textOf = (message) => message[FIELDS[message.type].field].sealed ?? message[FIELDS[message.type].field];
const withText = ({ from, type }, text) => ({ from, type, [FIELDS[type].field]: FIELDS[type].within ? { sealed: text } : text });

test('both ends of a sealed call are verified, and have one safety number', async () => {
  const { ann, ben, relay } = await couple();
  const [one, other] = [ann.link(ben), ben.link(ann)];
  assert.match(one.safetyNumber, /^\d{5}( \d{5}){11}$/);
  assert.equal(one.safetyNumber, other.safetyNumber);
  assert.deepEqual([one.verified, other.verified, one.trouble], ['key', 'key', null]);
  assert.doesNotMatch(relay.carried, /fingerprint|ufrag|Ann|Ben/);
  one.markCompared();
  assert.deepEqual(await ann.next('verified'), { peer: ben.room.self, verified: 'compared', safetyNumber: one.safetyNumber });
});

test('an unsealed call is verified by comparing, until it has another certificate', async () => {
  const { ann, ben } = await couple({});
  const [one, other] = [ann.link(ben), ben.link(ann)];
  const number = one.safetyNumber;
  assert.deepEqual([one.verified, other.safetyNumber], [false, number]);
  one.markCompared();
  assert.equal(one.verified, 'compared');
  one.offer();
  assert.deepEqual([one.verified, one.safetyNumber], [false, null], 'nothing has been agreed on yet');
  await ann.next('verified', ({ safetyNumber }) => safetyNumber !== number);
  assert.equal(one.verified, false);
});

test('somebody in between shows in the safety numbers, whatever fingerprints it adds', async () => {
  for (const more of [() => '', (theirs) => `\r\na=fingerprint:sha-256 ${theirs}`]) {
    const relay = new Relay();
    const own = {};
    relay.passing = (message, to) => {
      if (!message.sdp) return [message];
      own[message.from] = /a=fingerprint:sha-256 (\S+)/.exec(message.sdp)[1];
      return [{ ...message, sdp: message.sdp.replace(/(a=fingerprint:sha-256) \S+/, `$1 4D:49:54:4D${more(own[message.from])}`) }];
    };
    const { ann, ben } = await couple({}, relay);
    assert.notEqual(ann.link(ben).safetyNumber, ben.link(ann).safetyNumber);
  }
});

test('every flipped bit of every message of a call is refused and named, and the call unharmed', async () => {
  const { relay, ann, ben, passed } = await couple();
  assert.deepEqual([...new Set(passed.map(({ message }) => message.type))].sort(), ['answer', 'candidate', 'offer']);
  for (const [self, other] of [[ann, ben], [ben, ann]]) {
    const { pc } = self.link(other);
    let changed = 0;
    for (const { message } of passed.filter(({ to }) => to === self.id)) {
      const whole = decode(textOf(message).slice(2));
      for (let bit = 0; bit < whole.length * 8; bit += 1, changed += 1) {
        const bytes = whole.slice();
        bytes[bit >> 3] ^= 1 << (bit & 7);
        relay.deliver(self.id, withText(message, `1.${encode(bytes)}`));
      }
    }
    assert.ok(changed > 1_000);
    for (let count = 0; count < changed; count += 1) assert.equal((await self.next('refused')).why, 'unreadable');
    assert.equal(self.link(other).trouble, 'another key');
    await unharmed({ ann: self, ben: other }, pc);
    assert.equal(self.link(other).trouble, null);
  }
});

test('all messages of a call, sent twice and backwards, are refused and named, and the call unharmed', async () => {
  const { relay, ann, ben, passed } = await couple();
  const { pc } = ann.link(ben);
  const toAnn = passed.filter(({ to }) => to === ann.id).map(({ message }) => message);
  for (const message of [...toAnn, ...toAnn.toReversed()]) {
    relay.deliver(ann.id, message);
    assert.deepEqual((await ann.next('refused')).why, 'repeated');
  }
  await unharmed({ ann, ben }, pc);
});

test('all messages of a call under another type, from another sender, to another receiver', async () => {
  const { relay, ann, ben, passed } = await couple();
  const cem = await relay.member('Cem', { key: KEY });
  cem.calls();
  await connect(ann, cem);
  const { pc } = ann.link(ben);
  for (const { to, message } of passed.slice()) {
    const types = Object.keys(FIELDS).filter((type) => type !== message.type);
    const forged = types.map((type) => withText({ ...message, type }, textOf(message)));
    // To Ann also: what was for another, under the same sender.
    if (message.from !== ann.id && to !== ann.id) forged.push(message);
    forged.push({ ...message, from: message.from === ben.id ? cem.id : ben.id });
    for (const one of forged) {
      relay.deliver(ann.id, one);
      const { why, type } = await ann.next('refused');
      assert.equal(type, one.type);
      assert.equal(why, one.from === ann.id ? 'repeated' : 'unreadable', JSON.stringify(one).slice(0, 80));
    }
  }
  await unharmed({ ann, ben }, pc);
});

test('fields swapped between two messages in transit: used in no wrong place, and the call recovers', async () => {
  const { relay, ann, ben } = await couple();
  const { pc } = ann.link(ben);
  const { passing } = relay;
  const held = [];
  relay.passing = (message) => {
    held.push(message);
    if (held.length < 2) return [];
    const [one, other] = held.splice(0);
    return [withText(one, textOf(other)), withText(other, textOf(one))];
  };
  void ben.room.send(ann.id, { type: 'data', data: 'one' });
  await ben.room.send(ann.id, { type: 'bye', reason: 'other' });
  assert.deepEqual([(await ann.next('refused')).why, (await ann.next('refused')).why], ['unreadable', 'unreadable']);
  void ben.room.send(ann.id, { type: 'data', data: 'first' });
  await ben.room.send(ann.id, { type: 'data', data: 'second' });
  // Of the same type this is another order: the later one is used, the earlier one no more.
  assert.equal((await ann.next('message', ({ type }) => type === 'data')).data, 'second');
  assert.equal((await ann.next('refused')).why, 'repeated');
  relay.passing = passing;
  await unharmed({ ann, ben }, pc);
});

test('messages of another room are refused and named, and the call unharmed', async () => {
  const { relay, ann, ben } = await couple();
  const { pc } = ann.link(ben);
  const cem = '00000000-0000-4000-8000-00000000000c';
  const sealed = (room, from, message) => new Seals(RoomKey.of(KEY), room).seal(from, ann.id, message);
  relay.deliver(ann.id, { from: ben.id, ...(await sealed('coffee', ben.id, { type: 'bye' })) });
  assert.equal((await ann.next('refused')).why, 'unreadable');
  await unharmed({ ann, ben }, pc);
  relay.deliver(ann.id, { from: cem, ...(await sealed('tea', cem, { type: 'data', data: 'of this room' })) });
  assert.equal((await ann.next('message', ({ from }) => from === cem)).data, 'of this room');
});

test('after a reload of the peer, messages from before are outdated, and the call is made again', async () => {
  const { relay, ann, ben, passed } = await couple();
  const before = ann.link(ben).safetyNumber;
  const old = passed.filter(({ to }) => to === ann.id).map(({ message }) => message);
  ben.link(ann).pc.close();
  const again = await relay.member('Ben', { key: KEY, stored: ben.stored });
  assert.equal(again.id, ben.id);
  again.calls();
  await ann.next('verified', ({ safetyNumber }) => safetyNumber !== before);
  for (const message of old) {
    relay.deliver(ann.id, message);
    assert.equal((await ann.next('refused')).why, 'outdated');
  }
  const { pc } = ann.link(again);
  pc.connect();
  await unharmed({ ann, ben: again }, pc);
});

for (const [key, trouble] of [[undefined, 'no key'], [newKey(), 'another key']]) {
  test(`there is no call with a peer that has ${trouble}, and its link says so`, async () => {
    const relay = new Relay();
    const ann = await relay.member('Ann', { key: KEY });
    ann.calls();
    const mallory = await relay.member('Mallory', { key });
    mallory.calls();
    await ann.next('refused', ({ type }) => type === 'offer');
    const link = ann.link(mallory);
    assert.deepEqual([link.trouble, link.verified, link.safetyNumber, link.pc], [trouble, false, null, null]);
  });
}
