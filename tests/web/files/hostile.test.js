import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Transfer } from '../../../web/app/files/transfer.js';
import { WINDOW } from '../../../web/app/files/wire.js';
import { Store, couple, fileOf, offered } from '../support/files.js';

const MEGABYTE = 1024 * 1024;

/** Ben receives, and Ann's end is the test itself. */
async function receiving(size) {
  const pair = couple();
  pair.connect();
  const [end] = pair.wire.ends;
  end.onmessage = null;
  const say = async (...messages) => {
    for (const message of messages) end.send(message instanceof Uint8Array ? message : JSON.stringify(message));
    await pair.run();
  };
  await say({ type: 'hello', files: [{ id: 7, name: 'x', size, mime: '' }] });
  await pair.ben.conversation.accept(pair.ben.files[0]);
  await pair.run();
  return { ...pair, say };
}

/** @param {number} offset @param {number} length */
function part(offset, length, id = 7) {
  const message = Buffer.alloc(12 + length);
  message.writeUInt32BE(id);
  message.writeBigUInt64BE(BigInt(offset), 4);
  return new Uint8Array(message);
}

const wrong = {
  'a gap': [part(0, 10), part(20, 10)],
  'a part twice': [part(0, 10), part(0, 10)],
  'more than was offered': [part(0, 101)],
  'less than was offered': [part(0, 50), { type: 'end', id: 7, crc: 0 }],
  'another sum': [part(0, 100), { type: 'end', id: 7, crc: 1 }],
};
for (const [what, messages] of Object.entries(wrong)) {
  test(`${what}: damaged, and thrown away`, async () => {
    const { ben, say } = await receiving(100);
    await say(...messages);
    assert.deepEqual([ben.states, ben.stores[0].aborted, ben.stores[0].closed], [['over damaged us'], true, false]);
  });
}

test('a sender that ignores the window is cut off', async () => {
  const { ben, say } = await receiving(100 * MEGABYTE);
  ben.stores[0].write = () => new Promise(() => {});
  for (let at = 0; at < 2 * WINDOW; at += MEGABYTE) await say(part(at, MEGABYTE));
  assert.deepEqual(ben.states, ['receiving']);
  await say(part(2 * WINDOW, MEGABYTE));
  assert.deepEqual([ben.states, ben.files[0].batch], [['over damaged us'], null]);
});

test('what was not offered or not accepted is skipped, as is nonsense', async () => {
  const { ben, say } = await receiving(100);
  await say({ type: 'offer', file: { id: 8, name: 'y', size: 5, mime: '' } }, part(0, 5, 8), part(0, 5, 9), { type: 'end', id: 8, crc: 0 }, { type: 'stored', id: 7, offset: 3 }, { type: 'new' }, 'x'.repeat(3));
  assert.deepEqual(ben.states, ['receiving', 'asked']);
});

test('a file of which everything is here is stored, although its sender has left', async () => {
  const pair = await offered(fileOf(10));
  let release;
  const store = Object.assign(new Store(), { close: () => new Promise((resolve) => { release = () => resolve(new Blob(store.written)); }) });
  pair.ben.open = async () => store;
  await pair.ben.conversation.accept(pair.ben.files[0]);
  await pair.until(() => release);
  const transfer = new Transfer(pair.ben.files[0], pair.ben.conversation);
  transfer.look(0);
  pair.wire.cut();
  pair.ben.conversation.close();
  assert.deepEqual([transfer.look(1), transfer.interrupted], [null, false]);
  release();
  await pair.run();
  assert.deepEqual([pair.ben.states, pair.ben.files[0].blob.size, store.aborted, transfer.look(2)], [['done'], 10, false, 'done']);
});

test('a channel for tiny messages is not used', async () => {
  for (const limit of [1, 12, 13, 2_047]) {
    const pair = couple();
    pair.connect();
    pair.ann.conversation.attach(pair.wire.ends[0], limit);
    pair.ann.conversation.offer([fileOf(10)]);
    await pair.run();
    assert.deepEqual([pair.ann.conversation.isOpen, pair.ann.conversation.isUnfit, pair.ben.files], [false, true, []], `${limit} bytes`);
    pair.connect();
    await pair.run();
    assert.deepEqual([pair.ann.conversation.isUnfit, pair.ben.states], [false, ['asked']]);
  }
});

test('offers that are too long for one message are made in several, also again', async () => {
  const pair = couple();
  const longest = 3_000;
  const connect = () => {
    pair.connect();
    const [end] = pair.wire.ends;
    const { send } = end;
    end.send = (data) => {
      if (Buffer.byteLength(data) > longest) throw new TypeError('too large');
      send.call(end, data);
    };
    pair.ann.conversation.attach(end, longest);
  };
  connect();
  pair.ann.conversation.offer(Array.from({ length: 50 }, (_, at) => fileOf(1, `${at} ${'茶'.repeat(80)}`)));
  await pair.run();
  assert.deepEqual([pair.ben.files.length, new Set(pair.ann.states)], [50, new Set(['offered'])]);
  pair.wire.cut();
  connect();
  await pair.run();
  const asked = pair.ben.files.filter(({ state }) => state === 'asked');
  assert.deepEqual(asked.map(({ offer: { id } }) => id).sort(), pair.ann.files.map(({ offer: { id } }) => id).sort());
  for (const file of asked) await pair.ben.conversation.accept(file);
  await pair.run();
  assert.deepEqual(new Set(pair.ann.states), new Set(['done']));
});

test('a thousand and one files are not lost without a word', async () => {
  const { ann, ben } = await offered(...Array.from({ length: 1_001 }, (_, at) => fileOf(1, `${at}`)));
  assert.deepEqual([ben.files.length, ann.states.filter((state) => state === 'over too-many them').length], [50, 951]);
});

test('offers that are made and taken back again and again are soon declined, until a minute later', async (t) => {
  let now = 5_000;
  t.mock.method(performance, 'now', () => now);
  const { ben, say } = await receiving(100);
  const again = async (from) => say({ type: 'hello', files: Array.from({ length: 50 }, (_, at) => ({ id: from + at, name: 'x', size: 1, mime: '' })) }, { type: 'hello', files: [] });
  for (let round = 1; round <= 20; round += 1) await again(round * 100);
  assert.ok(ben.files.length <= 100, `${ben.files.length} questions`);
  now += 60_001;
  const before = ben.files.length;
  await again(10_000);
  assert.equal(ben.files.length, before + 50);
});

test('nobody can ask about more than fifty files at once', async () => {
  const pair = await offered(...Array.from({ length: 60 }, (_, at) => fileOf(1, `${at}`)));
  assert.equal(pair.ben.files.length, 50);
  assert.deepEqual(pair.ann.states.filter((state) => state === 'over too-many them').length, 10);
});

test('a receiver that continues from an offset that nobody sent, or without an offer, is told that it cannot', async () => {
  const pair = await offered(fileOf(100));
  const { id } = pair.ann.files[0].offer;
  const heard = [];
  pair.wire.ends[1].onmessage = ({ data }) => heard.push(JSON.parse(data).type);
  pair.wire.ends[1].send(JSON.stringify({ type: 'accept', id, offset: 33 }));
  pair.wire.ends[1].send(JSON.stringify({ type: 'accept', id: (id ^ 1) >>> 0, offset: 0 }));
  await pair.run();
  assert.deepEqual(heard, ['withdraw', 'withdraw']);
  assert.deepEqual(pair.ann.states, ['over gone us']);
});
