import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { decode, encode } from '../../../web/client/sealed/base64url.js';
import { Replays, Unusable } from '../../../web/client/sealed/replays.js';
import { RoomKey, newKey } from '../../../web/client/sealed/room-key.js';
import { safetyNumber } from '../../../web/client/sealed/safety-number.js';
import { FIELDS, Seals } from '../../../web/client/sealed/seals.js';

const VECTORS = JSON.parse(readFileSync(new URL('../../../docs/sealed-vectors.json', import.meta.url), 'utf8'));
const [ANN, BEN] = [VECTORS.sender, VECTORS.messages[0].to];
const CEM = VECTORS.refusals.find(({ name }) => name === 'sealed for another receiver').receiver;

const bytes = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'));
const seals = ({ key = VECTORS.key, room = VECTORS.room, epoch = VECTORS.epoch, ...more } = {}) => new Seals(RoomKey.of(key), room, { epoch, ...more });
const nonces = (hexes) => ({ nonce: () => bytes(hexes.shift()) });
const arriving = (message, from = ANN) => ({ seq: 1, from, ...message });
const toBen = VECTORS.messages.filter(({ to }) => to === BEN);

/** What a receiver makes of a message: `used`, or why not. */
async function result(receiver, message, seal = seals()) {
  try {
    await seal.open(receiver, message);
    return 'used';
  } catch (error) {
    assert.ok(error instanceof Unusable, error);
    return error.why;
  }
}

/** A message with another text in the place of the sealed one. */
function withText({ type }, text) {
  const { field, within } = FIELDS[type];
  return { type, [field]: within ? { sealed: text } : text };
}
const textOf = (message) => {
  const value = message[FIELDS[message.type].field];
  return value.sealed ?? value;
};

for (const { room, passphrase, key } of VECTORS.passphrases) {
  test(`the key of the passphrase ${JSON.stringify(passphrase)} in ${room}`, async () => {
    assert.equal((await RoomKey.ofPassphrase(passphrase, room)).text, key);
  });
}

test('the keys of pairs', async () => {
  for (const { from, to, key } of VECTORS.pairKeys) {
    const given = await crypto.subtle.importKey('raw', bytes(key), 'AES-GCM', false, ['encrypt']);
    const how = { name: 'AES-GCM', iv: new Uint8Array(12) };
    const encrypted = (cipher) => crypto.subtle.encrypt(how, cipher, new Uint8Array(8)).then((one) => Buffer.from(one).toString('hex'));
    const opener = await RoomKey.of(VECTORS.key).cipher(VECTORS.room, from, to);
    assert.equal(await encrypted(opener), await encrypted(given), `${from} to ${to}`);
  }
});

test('every kind of message is sealed as in the vectors, and opened again', async () => {
  const [sealing, opening] = [seals(nonces(VECTORS.messages.map(({ nonce }) => nonce))), seals()];
  for (const { to, message, sealed } of VECTORS.messages) {
    assert.deepEqual(await sealing.seal(ANN, to, message), sealed);
    assert.deepEqual(await opening.open(BEN, arriving(sealed)), arriving(message));
  }
});

test('cards', async () => {
  for (const { card, nonce, metadata } of VECTORS.cards) {
    assert.deepEqual(await seals(nonces([nonce])).sealCard(card), metadata);
    assert.deepEqual(await seals().openCard(metadata), card);
  }
  for (const { metadata, why } of VECTORS.refusedCards) await assert.rejects(seals().openCard(metadata), { why });
});

for (const { name, receiver, message, why } of VECTORS.refusals) {
  test(`refused: ${name}`, async () => assert.equal(await result(receiver, message), why));
}

for (const { name, receiver, steps } of VECTORS.sequences) {
  test(`numbers and epochs: ${name}`, async () => {
    const seal = seals();
    const results = [];
    for (const { message } of steps) results.push(await result(receiver, message, seal));
    assert.deepEqual(results, steps.map((step) => step.result));
  });
}

for (const { name, local, remote, number } of VECTORS.safetyNumbers) {
  test(`safety number: ${name}`, async () => assert.equal(await safetyNumber(local, remote), number));
}

test('every flipped bit of every kind of message is noticed, and harms nothing', async () => {
  const receiver = seals();
  for (const { sealed } of toBen) {
    const whole = decode(textOf(sealed).slice(2));
    for (let bit = 0; bit < whole.length * 8; bit += 1) {
      const changed = whole.slice();
      changed[bit >> 3] ^= 1 << (bit & 7);
      const message = arriving(withText(sealed, `1.${encode(changed)}`));
      assert.equal(await result(BEN, message, receiver), 'unreadable', `${sealed.type}, bit ${bit}`);
    }
    assert.equal(await result(BEN, arriving(sealed), receiver), 'used');
  }
});

test('every flipped bit of a card is noticed, and a card of another room, and a message as a card and a card as a message', async () => {
  const { metadata } = VECTORS.cards[0];
  const whole = decode(metadata.sealed.slice(2));
  for (let bit = 0; bit < whole.length * 8; bit += 1) {
    const changed = whole.slice();
    changed[bit >> 3] ^= 1 << (bit & 7);
    await assert.rejects(seals().openCard({ sealed: `1.${encode(changed)}` }), { why: 'unreadable' }, `bit ${bit}`);
  }
  await assert.rejects(seals({ room: 'coffee' }).openCard(metadata), { why: 'unreadable' });
  for (const { sealed } of VECTORS.messages) {
    await assert.rejects(seals().openCard({ sealed: textOf(sealed) }), { why: 'unreadable' }, sealed.type);
    assert.equal(await result(BEN, arriving(withText(sealed, metadata.sealed))), 'unreadable', sealed.type);
  }
});

test('what is for all is for nobody else: not under another type or sender, in no other room, and once', async () => {
  const broadcasts = VECTORS.messages.filter(({ to }) => to === null);
  assert.ok(broadcasts.length > 0);
  for (const { sealed } of broadcasts) {
    assert.equal(await result(CEM, arriving(sealed)), 'used');
    for (const type of Object.keys(FIELDS).filter((other) => other !== sealed.type)) {
      assert.equal(await result(BEN, arriving(withText({ type }, textOf(sealed)))), 'unreadable', `${sealed.type} as ${type}`);
    }
    assert.equal(await result(BEN, arriving(sealed, CEM)), 'unreadable');
    assert.equal(await result(BEN, arriving(sealed), seals({ room: 'coffee' })), 'unreadable');
    const receiver = seals();
    assert.deepEqual([await result(BEN, arriving(sealed), receiver), await result(BEN, arriving(sealed), receiver)], ['used', 'repeated']);
  }
});

test('every changed character is noticed', async () => {
  const [{ sealed }] = toBen;
  const text = textOf(sealed);
  for (let at = 0; at < text.length; at += 1) {
    for (const other of ['A', '-', '=', ' ', '+', '\n', 'é']) {
      if (other === text[at]) continue;
      const why = await result(BEN, arriving(withText(sealed, text.slice(0, at) + other + text.slice(at + 1))));
      assert.ok(why === 'unreadable' || why === 'unsealed', `${JSON.stringify(other)} at ${at}: ${why}`);
    }
  }
});

test('no sealed text fits another type, sender, receiver or room', async () => {
  const ofType = new Map(toBen.map(({ sealed }) => [sealed.type, sealed]));
  assert.equal(ofType.size, 5);
  for (const source of ofType.values()) {
    for (const target of ofType.values()) {
      const why = await result(BEN, arriving(withText(target, textOf(source))));
      assert.equal(why, source === target ? 'used' : 'unreadable', `${source.type} as ${target.type}`);
    }
    assert.equal(await result(CEM, arriving(source)), 'unreadable');
    assert.equal(await result(BEN, arriving(source, CEM)), 'unreadable');
    assert.equal(await result(ANN, arriving(source, BEN)), 'unreadable');
    assert.equal(await result(BEN, arriving(source), seals({ room: 'coffee' })), 'unreadable');
  }
});

test('ids are compared in lower case', async () => {
  const sealed = await seals().seal(ANN.toUpperCase(), BEN.toUpperCase(), { type: 'data', data: 1 });
  assert.equal(await result(BEN, arriving(sealed)), 'used');
});

test('members that would stay readable are refused where they are sent', async () => {
  await assert.rejects(seals().seal(ANN, BEN, { type: 'data', data: 1, label: 'secret' }), /not label/);
  for (const type of ['nonsense', 'toString']) await assert.rejects(seals().seal(ANN, BEN, { type }), /no message of type/);
});

test('what the server would refuse is refused where it is sealed', async () => {
  for (const name of ['x'.repeat(65), 'Ann\n']) await assert.rejects(seals().sealCard({ name }), /64 characters/);
  assert.deepEqual(await seals().openCard(await seals().sealCard({ name: '🍵'.repeat(64) })), { name: '🍵'.repeat(64), metadata: {} });
  for (const data of ['\ud83d', { '\ud83d': 1 }, Infinity, NaN]) await assert.rejects(seals().seal(ANN, BEN, { type: 'data', data }), /parser of JSON/);
});

test('a key is exactly 32 bytes of base64url', async () => {
  assert.match(newKey(), /^[\w-]{43}$/);
  assert.notEqual(newKey(), newKey());
  const { key } = VECTORS;
  assert.equal(RoomKey.of(key).text, key);
  for (const text of ['', key.slice(1), `${key}A`, `${key}=`, `${key.slice(0, -1)}9`, '+'.repeat(43), encode(new Uint8Array(31)), undefined]) {
    assert.throws(() => RoomKey.of(text), TypeError);
  }
  await assert.rejects(RoomKey.ofPassphrase('', 'tea'), TypeError);
});

test('base64url of any length', () => {
  for (const length of [0, 1, 2, 3, 20_000]) {
    const some = Uint8Array.from({ length }, (_, at) => at % 256);
    assert.equal(encode(some), Buffer.from(some).toString('base64url'));
    assert.deepEqual(decode(encode(some)), some);
  }
});

test('epochs that were replaced are remembered up to a bound', () => {
  const replays = new Replays();
  const epoch = (number) => String(number).padStart(16, '0');
  for (let number = 0; number < 258; number += 1) replays.check(ANN, BEN, epoch(number), 1);
  for (const number of [1, 256]) assert.throws(() => replays.check(ANN, BEN, epoch(number), 9), { why: 'outdated' });
  replays.check(ANN, BEN, epoch(0), 1);
});
