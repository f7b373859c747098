import assert from 'node:assert/strict';
import { test } from 'node:test';

import { join, newKey } from '../../../web/client/index.js';
import { Sealing } from '../../../web/client/room/sealing.js';
import { Relay } from '../support/relay.js';
import { BASE } from '../support/world.js';

const [KEY, OTHER] = [newKey(), newKey()];
const KINDS = [
  { type: 'offer', sdp: 'v=0 hush' },
  { type: 'answer', sdp: 'v=0 hush' },
  { type: 'candidate', candidate: { candidate: 'hush' } },
  { type: 'candidate', candidate: null },
  { type: 'bye', reason: 'hush' },
  { type: 'bye' },
  { type: 'data', data: ['hush', 'é🍵'] },
];

test('messages and cards arrive, and the server sees none', async () => {
  const relay = new Relay();
  const ann = await relay.member('hush Ann', { key: KEY, metadata: { city: 'hush' } });
  const ben = await relay.member('hush Ben', { key: KEY });
  assert.equal(ann.room.key, KEY);
  assert.deepEqual([ann.room.self.name, ann.room.self.metadata], ['hush Ann', { city: 'hush' }]);
  assert.deepEqual(ben.room.peers.get(ann.id), ann.room.self);
  assert.deepEqual(await ann.next('peer-joined'), ben.room.self);
  for (const to of [ben.id, null]) {
    for (const message of KINDS) {
      await ann.room.send(to, message);
      const { seq, from, ...got } = await ben.next('message');
      assert.deepEqual([from, got], [ann.id, message]);
    }
  }
  assert.deepEqual(ben.left('wire').filter(({ direction }) => direction === 'in').map(({ message: { seq, from, ...message } }) => message), [...KINDS, ...KINDS]);
  assert.equal(ann.room.troubles.size + ben.room.troubles.size, 0);
  assert.ok(!relay.carried.includes('hush'));
  assert.ok(relay.carried.split('"1.').length > 30);
});

test('without a key it does see them, and the room says that it is not sealed', async () => {
  const relay = new Relay();
  const ann = await relay.member('hush', {});
  assert.equal(ann.room.key, null);
  assert.ok(relay.carried.includes('hush'));
});

test('messages arrive in the order of the calls', async () => {
  const relay = new Relay();
  const [ann, ben] = [await relay.member('Ann', { key: KEY }), await relay.member('Ben', { key: KEY })];
  // Large ones take longer to seal.
  for (let number = 0; number < 200; number += 1) void ann.room.send(number % 3 ? ben.id : null, { type: 'data', data: [number, 'x'.repeat(number % 2 ? 0 : 9_000)] });
  for (let number = 0; number < 200; number += 1) assert.equal((await ben.next('message')).data[0], number);
});

test('of a card that is not sealed only that it is an encoder’s or player’s is used, with an id that the server gives to no other', async () => {
  const sealing = await Sealing.of('tea', { key: KEY });
  const shown = async (id, metadata) => {
    const joined = { peer: { id: 'me' }, peers: [{ id, name: 'hush', metadata, order: 1 }] };
    const { peers: [peer] } = await sealing.joined(joined);
    return [peer.name, peer.metadata, sealing.troubles.get(id)];
  };
  const [ofServer, ofAnybody] = ['0a1b2c3d-0000-8000-8000-000000000001', '0a1b2c3d-0000-4000-8000-000000000001'];
  assert.deepEqual(await shown(ofServer, { whip: 'encoder', rtc: { direction: 'sendonly' } }), ['', { whip: 'encoder' }, 'no key']);
  assert.deepEqual(await shown(ofAnybody, { whip: 'encoder' }), ['', {}, 'no key']);
});

test('leaving sends what is queued', async () => {
  const relay = new Relay();
  const [ann, ben] = [await relay.member('Ann', { key: KEY }), await relay.member('Ben', { key: KEY })];
  void ann.room.send(ben.id, { type: 'bye', reason: 'tired' });
  await ann.room.leave();
  assert.equal((await ben.next('message')).reason, 'tired');
  await ben.next('peer-left');
  await assert.rejects(ann.room.send(ben.id, { type: 'bye' }), { name: 'RoomEnded' });
});

test('a message that cannot be sealed whole is refused, and the next one is sent', async () => {
  const relay = new Relay();
  const [ann, ben] = [await relay.member('Ann', { key: KEY }), await relay.member('Ben', { key: KEY })];
  const wrong = ann.room.send(ben.id, { type: 'data', data: 1, label: 'readable' });
  const right = ann.room.send(ben.id, { type: 'data', data: 2 });
  await assert.rejects(wrong, TypeError);
  await right;
  assert.equal((await ben.next('message')).data, 2);
});

for (const [key, trouble, why] of [[undefined, 'no key', 'unsealed'], [OTHER, 'another key', 'unreadable']]) {
  test(`a peer that has ${trouble} is not heard, and it is said why`, async () => {
    const relay = new Relay();
    const ann = await relay.member('Ann', { key: KEY });
    const mallory = await relay.member('Mallory', { key });
    const { name, metadata } = await ann.next('peer-joined');
    assert.deepEqual([name, metadata], ['', {}]);
    assert.equal((await ann.next('trouble')).trouble, trouble);
    await mallory.room.send(ann.id, { type: 'offer', sdp: 'v=0' });
    assert.deepEqual(await ann.next('refused'), { seq: 2, from: mallory.id, type: 'offer', why });
    assert.deepEqual([...ann.room.troubles], [[mallory.id, trouble]]);
    assert.deepEqual(ann.left('message'), []);
    // The one who comes later learns it from the roster.
    const cem = await relay.member('Cem', { key: KEY });
    assert.deepEqual([...cem.room.troubles], [[mallory.id, trouble]]);
  });
}

// The first message of a batch used up the news about a peer whose join was the second.
test('what a newcomer lacks is told after its join, whatever came before in the same batch', async () => {
  const relay = new Relay();
  const [ann, ben] = [await relay.member('Ann', { key: KEY }), await relay.member('Ben', { key: KEY })];
  const mallory = { id: '00000009-0000-4000-8000-000000000000', name: 'Mallory', metadata: {}, order: 9 };
  relay.passing = (message) => [message, { type: 'peer-joined', peer: mallory }];
  await ben.room.send(ann.id, { type: 'data', data: 1 });
  const { peer, trouble } = await ann.next('trouble');
  assert.deepEqual([peer.id, trouble], [mallory.id, 'no key']);
  assert.equal((await ann.next('message')).data, 1);
});

test('what a peer lacks is forgotten when a message of it opens', async () => {
  const relay = new Relay();
  const [ann, ben] = [await relay.member('Ann', { key: KEY }), await relay.member('Ben', { key: KEY })];
  relay.passing = ({ from }) => [{ from, type: 'bye' }];
  await ben.room.send(ann.id, { type: 'data', data: 1 });
  assert.equal((await ann.next('trouble')).trouble, 'no key');
  relay.passing = (message) => [message];
  await ben.room.send(ann.id, { type: 'data', data: 2 });
  assert.deepEqual((await ann.next('trouble')).trouble, null);
  assert.equal(ann.room.troubles.size, 0);
});

test('a message tells more about what a peer lacks than its card', async () => {
  const [ann, ben] = [await Sealing.of('tea', { key: KEY }), await Sealing.of('tea', { key: KEY })];
  const cards = ['ann', 'ben'].map((id) => ({ id, name: id, metadata: {}, order: 1 }));
  await ann.joined({ peer: cards[0], peers: [cards[1]] });
  const joined = { peer: cards[1], peers: [cards[0]] };
  await ben.joined(joined);
  assert.deepEqual([[...ben.troubles], ben.changes()], [[['ann', 'no key']], ['ann']]);
  await ben.opened({ messages: [{ seq: 1, from: 'ann', ...(await ann.seal('ben', { type: 'data', data: 1 })) }], cursor: 1 });
  assert.deepEqual([[...ben.troubles], ben.changes()], [[], ['ann']]);
  await ben.joined(joined);
  assert.deepEqual([[...ben.troubles], ben.changes()], [[], []]);
});

test('what was queued while the server forgot everything is sealed with the new id', async () => {
  const relay = new Relay();
  const [ann, ben] = [await relay.member('Ann', { key: KEY }), await relay.member('Ben', { key: KEY })];
  const before = ann.id;
  // Ben is back before Ann, so that there is somebody to send to.
  let joins = 0, back;
  const returned = new Promise((resolve) => { back = resolve; });
  relay.joining = () => ((joins += 1) === 1 ? returned : Promise.resolve());
  relay.forget();
  const sent = Array.from({ length: 60 }, (_, number) => ann.room.send(null, { type: 'data', data: number }));
  await ben.next('resumed');
  back();
  for (let number = 0; number < 60; number += 1) {
    const { data, from } = await ben.next('message');
    assert.deepEqual([data, from], [number, ann.room.self.id]);
  }
  await Promise.all(sent);
  assert.notEqual(ann.room.self.id, before);
  assert.equal(ann.room.self.name, 'Ann');
  assert.deepEqual([ben.left('refused'), ben.room.troubles.size], [[], 0]);
});

test('a page that is loaded again returns to its seat only with the same key', async () => {
  const relay = new Relay();
  const stored = new Map();
  const first = await relay.member('Ann', { key: KEY, stored });
  const again = await relay.member('Ann', { key: KEY, stored });
  assert.equal(again.id, first.id);
  for (const key of [OTHER, undefined]) assert.notEqual((await relay.member('Ann', { key, stored })).id, first.id);
  assert.ok(![...stored.keys(), ...stored.values()].join().includes(KEY));
});

test('a passphrase makes the same key for all', async () => {
  const relay = new Relay();
  const ann = await relay.member('Ann', { passphrase: 'two lumps of sugar' });
  const ben = await relay.member('Ben', { key: ann.room.key });
  assert.equal(ben.room.peers.get(ann.id).name, 'Ann');
});

test('what is no key is refused before anything is sent', async () => {
  const fetch = () => assert.fail('nothing is sent');
  for (const options of [{ key: 'short' }, { key: '' }, { passphrase: '' }, { key: KEY, passphrase: 'both' }]) {
    await assert.rejects(join(BASE, 'tea', { fetch, ...options }), TypeError);
  }
});

test('without WebCrypto a sealed room is unsupported, and any other works', async () => {
  const relay = new Relay();
  const whole = Object.getOwnPropertyDescriptor(globalThis, 'crypto');
  const { getRandomValues } = crypto;
  Object.defineProperty(globalThis, 'crypto', { configurable: true, value: { getRandomValues: getRandomValues.bind(crypto) } });
  try {
    for (const options of [{ key: KEY }, { passphrase: 'two lumps' }]) await assert.rejects(relay.member('Ann', options), { code: 'webcrypto-missing' });
    assert.equal(relay.carried, '');
    assert.equal((await relay.member('Ann')).room.key, null);
  } finally {
    Object.defineProperty(globalThis, 'crypto', whole);
  }
});

// Regression: it was told at once, of a peer that was not in the room yet.
test('a refused message of a newcomer is told after its arrival, also while that waits for credentials', async () => {
  const relay = new Relay();
  relay.withholds = true;
  let equip;
  relay.equipping = () => new Promise((resolve) => { equip = resolve; });
  const ann = await relay.member('Ann', { key: KEY });
  const told = [];
  for (const name of ['peer-joined', 'refused', 'trouble']) ann.room.on(name, () => told.push([name, ann.room.peers.size]));
  const mallory = await relay.member('Mallory', {});
  await mallory.room.send(ann.id, { type: 'data', data: 'hello' });
  await ann.next('wire', ({ refused }) => refused);
  assert.deepEqual(told, []);
  equip();
  await ann.next('refused', ({ from, why }) => from === mallory.id && why === 'unsealed');
  await ann.next('trouble');
  assert.deepEqual(told, [['peer-joined', 1], ['refused', 1], ['trouble', 1]]);
});
