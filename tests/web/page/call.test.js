import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Attendance } from '../../../web/app/attendance.js';
import { atAddress, isLoopback } from '../../../web/app/reachable.js';
import { shortcutOf } from '../../../web/app/shortcuts.js';

// ---- Who is here -------------------------------------------------------------------------------------------------

const peer = (id, name) => ({ id, name });

test('arrivals and departures are noted', () => {
  const here = new Attendance([peer('a', 'Ann')]);
  assert.deepEqual([here.joined(peer('b', 'Ben')), here.joined(peer('b', 'Ben')), here.left(peer('b', 'Ben')), here.left(peer('b', 'Ben'))], [true, false, true, false]);
  assert.equal(here.joined(peer('a2', 'Ann')), true, 'another Ann');
});

test('after a restart of the server nobody has joined twice, or left', () => {
  const here = new Attendance([peer('b', 'Ben'), peer('c', 'Cleo')]);
  here.doubt();
  // Ben is back already, with a new id.
  assert.equal(here.joined(peer('b2', 'Ben')), false);
  here.resumed({ lost: true, renamed: true, roster: [peer('b2', 'Ben')] });
  assert.equal(here.joined(peer('c2', 'Cleo')), false);
  assert.deepEqual([here.left(peer('b', 'Ben')), here.left(peer('c', 'Cleo'))], [false, false], 'their former ids expire');
  assert.equal(here.joined(peer('b3', 'Ben')), true, 'another Ben');
  assert.equal(here.left(peer('b2', 'Ben')), true);
});

test('after an outage without a restart a namesake is somebody else', () => {
  const here = new Attendance([peer('b', 'Ben')]);
  here.doubt();
  here.resumed({ lost: false, renamed: false, roster: [peer('b', 'Ben')] });
  assert.equal(here.joined(peer('b2', 'Ben')), true);
});

// ---- Links -------------------------------------------------------------------------------------------------------

test('addresses of this machine are told from others', () => {
  for (const name of ['localhost', 'calls.localhost', '127.0.0.1', '127.1.2.3', '[::1]', '0.0.0.0']) assert.ok(isLoopback(name), name);
  for (const name of ['192.168.1.20', 'example.org', '[fe80::1]', 'localhost.example', '1.127.0.0']) assert.ok(!isLoopback(name), name);
});

/** Each row: what was typed, and the link at that address. */
const typed = [
  ['192.168.1.20', 'http://192.168.1.20:8080/?room=tea#secret=s'],
  ['192.168.1.20:9000', 'http://192.168.1.20:9000/?room=tea#secret=s'],
  [' https://calls.example.org/ ', 'https://calls.example.org/?room=tea#secret=s'],
  ['https://example.org/signal', 'https://example.org/signal/?room=tea#secret=s'],
  ['[fd12::1]:8080', 'http://[fd12::1]:8080/?room=tea#secret=s'],
  ['', null],
  ['localhost:8080', null],
  ['not an address', null],
];
for (const [text, link] of typed) {
  test(`${JSON.stringify(text)} gives ${link}`, () => assert.equal(atAddress('http://127.0.0.1:8080/?room=tea#secret=s', text), link));
}

// ---- Keys --------------------------------------------------------------------------------------------------------

test('single keys are shortcuts, on any layout, and not with others', () => {
  const press = (key, code, more) => shortcutOf({ key, code, ctrlKey: false, altKey: false, metaKey: false, repeat: false, ...more });
  assert.deepEqual([press('m', 'KeyM'), press('M', 'KeyM'), press('v', 'KeyV'), press('c', 'KeyC'), press('?', 'Slash')], ['microphone', 'microphone', 'camera', 'chat', 'help']);
  assert.equal(press('ь', 'KeyM'), 'microphone');
  assert.deepEqual([press('؟', 'Slash'), press('？', 'Slash')], ['help', 'help'], 'in Arabic, and full width');
  assert.equal(press('m', 'Semicolon'), 'microphone', 'the letter counts where there is one');
  for (const more of [{ ctrlKey: true }, { altKey: true }, { metaKey: true }, { repeat: true }]) assert.equal(press('m', 'KeyM', more), null);
  assert.deepEqual([press('x', 'KeyX'), press('Enter', 'Enter'), press('Tab', 'Tab')], [null, null, null]);
});
