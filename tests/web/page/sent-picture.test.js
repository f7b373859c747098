import assert from 'node:assert/strict';
import { test } from 'node:test';

import { otherCamera } from '../../../web/app/devices/flip.js';
import { Adapting, ENCODING, outgoingOf } from '../../../web/app/sent/adapting.js';
import { preferSent, sentPreference } from '../../../web/app/sent/preference.js';

const poor = { lossPercent: 12, roundTripMs: 80, limited: true };
const good = { lossPercent: 0, roundTripMs: 40, limited: false };
const looks = (adapting, outgoing, count) => Array.from({ length: count }, () => adapting.look(outgoing));

test('the picture gets smaller while the line is poor, and large again when it is good', () => {
  const adapting = new Adapting();
  assert.deepEqual(looks(adapting, poor, 6), ['full', 'full', 'half', 'half', 'half', 'small']);
  assert.deepEqual(looks(adapting, poor, 5).at(-1), 'small');
  assert.deepEqual(looks(adapting, good, 8).slice(-2), ['small', 'half']);
  assert.deepEqual(looks(adapting, good, 8).slice(-2), ['half', 'full']);
});

test('a burst of loss changes nothing', () => {
  const adapting = new Adapting();
  for (let times = 0; times < 5; times += 1) assert.deepEqual([...looks(adapting, poor, 2), adapting.look(good)], ['full', 'full', 'full']);
});

test('a larger picture that fails is tried again later than before', () => {
  const adapting = new Adapting();
  looks(adapting, poor, 3);
  const untilFull = () => {
    for (let count = 1; count < 1_000; count += 1) if (adapting.look(good) === 'full') return count;
    return null;
  };
  const waits = Array.from({ length: 6 }, () => { const count = untilFull(); looks(adapting, poor, 3); return count; });
  assert.deepEqual(waits, [8, 16, 32, 64, 128, 128]);
});

test('a delay that nothing is waiting behind is no bad line, such as that of a satellite', () => {
  const adapting = new Adapting();
  assert.equal(looks(adapting, { lossPercent: 0, roundTripMs: 700, limited: false }, 20).at(-1), 'full');
  assert.equal(looks(adapting, { lossPercent: 0, roundTripMs: 700, limited: true }, 20).at(-1), 'small');
});

test('only what is sent counts, and only pictures', () => {
  const reports = [
    { type: 'inbound-rtp', kind: 'video', packetsLost: 1_000 },
    { type: 'remote-inbound-rtp', kind: 'audio', fractionLost: 0.5, roundTripTime: 3 },
    { type: 'remote-inbound-rtp', kind: 'video', fractionLost: 0.1, roundTripTime: 0.2 },
    { type: 'outbound-rtp', kind: 'video', qualityLimitationReason: 'bandwidth' },
  ];
  assert.deepEqual(outgoingOf(reports), { lossPercent: 10, roundTripMs: 200, limited: true });
  assert.deepEqual(outgoingOf([{ type: 'outbound-rtp', kind: 'video', qualityLimitationReason: 'cpu' }]), { lossPercent: 0, roundTripMs: 0, limited: false });
  assert.ok(ENCODING.small.maxBitrate < ENCODING.half.maxBitrate);
});

test('the choice is kept, and nonsense is none', () => {
  const items = new Map();
  const storage = { getItem: (key) => items.get(key) ?? null, setItem: (key, value) => items.set(key, value) };
  assert.equal(sentPreference(storage), 'auto');
  preferSent('small', storage);
  assert.equal(sentPreference(storage), 'small');
  preferSent('huge', storage);
  assert.equal(sentPreference(storage), 'auto');
});

// ---- The cameras of a phone ----------------------------------------------------------------------------------------

const camera = (deviceId, side) => ({ kind: 'videoinput', deviceId, ...(side && { getCapabilities: () => ({ facingMode: [side] }) }) });

test('the other camera is the first on the other side, or the next where sides are unknown', () => {
  const phone = [camera('front', 'user'), camera('back', 'environment'), camera('wide', 'environment'), { kind: 'audioinput', deviceId: 'm' }];
  assert.deepEqual(['front', 'back', 'wide'].map((used) => otherCamera(phone, used)), ['back', 'front', 'front']);
  const unknown = [camera('a'), camera('b'), camera('c')];
  assert.deepEqual(['a', 'b', 'c'].map((used) => otherCamera(unknown, used)), ['b', 'c', 'a']);
  const alike = [camera('a', 'user'), camera('b', 'user')];
  assert.equal(otherCamera(alike, 'a'), 'b');
});

test('there is no other camera if there is one, if none is in use, or before the browser tells their ids', () => {
  assert.equal(otherCamera([camera('a')], 'a'), null);
  assert.equal(otherCamera([camera('a'), camera('b')], undefined), null);
  assert.equal(otherCamera([camera(''), camera('')], ''), null);
  assert.equal(otherCamera([], 'a'), null);
});
