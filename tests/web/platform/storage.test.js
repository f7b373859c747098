import assert from 'node:assert/strict';
import { test } from 'node:test';

import { KeptSeat } from '../../../web/client/room/seat.js';
import { lenientStorage } from '../../../web/client/platform/storage.js';

const refuse = () => { throw new DOMException('', 'SecurityError'); };

/** A storage as in browsers, with an existing entry. */
function real(overrides = {}) {
  const entries = new Map([['old', 'kept']]);
  return {
    getItem: (key) => entries.get(key) ?? null,
    setItem: (key, value) => void entries.set(key, value),
    removeItem: (key) => void entries.delete(key),
    ...overrides,
  };
}

/** Each row: how a storage fails. */
const failing = {
  'whose getter throws': refuse,
  'that is null': () => null,
  'that is missing': () => undefined,
  'that refuses everything': () => real({ getItem: refuse, setItem: refuse, removeItem: refuse }),
};

for (const [how, get] of Object.entries(failing)) {
  test(`a storage ${how} is replaced by memory`, () => {
    const storage = lenientStorage(get);
    assert.equal(storage.getItem('a'), null);
    storage.setItem('a', 'b');
    assert.equal(storage.getItem('a'), 'b');
    storage.removeItem('a');
    assert.equal(storage.getItem('a'), null);
  });
}

test('a storage that works is used', () => {
  const one = real();
  const storage = lenientStorage(() => one);
  storage.setItem('a', 'b');
  assert.deepEqual([one.getItem('a'), storage.getItem('old')], ['b', 'kept']);
  storage.removeItem('old');
  assert.equal(one.getItem('old'), null);
});

test('what a full storage does not take is in memory, and what was there before is not found after a refresh', () => {
  const one = real({ setItem: () => { throw new DOMException('', 'QuotaExceededError'); } });
  const storage = lenientStorage(() => one);
  storage.setItem('old', 'new');
  assert.deepEqual([storage.getItem('old'), one.getItem('old')], ['new', null]);
});

test('a storage that is full for a while is used again', () => {
  let full = true;
  const one = real();
  const { setItem } = one;
  one.setItem = (key, value) => (full ? refuse() : setItem(key, value));
  const storage = lenientStorage(() => one);
  storage.setItem('a', 'first');
  full = false;
  storage.setItem('a', 'second');
  assert.deepEqual([storage.getItem('a'), one.getItem('a')], ['second', 'second']);
});

test('an application’s own storage may fail at any time', () => {
  const kept = new KeptSeat(real({ getItem: () => '{"peer":"p","token":"t"}', setItem: refuse, removeItem: refuse }), '/v1/rooms/tea');
  kept.save({ peer: 'p', token: 't' });
  kept.drop({ peer: 'p', token: 't' });
  assert.deepEqual(kept.load(), { peer: 'p', token: 't' });
});
