import assert from 'node:assert/strict';
import { test } from 'node:test';

import { explain, iceError } from '../../../web/app/ice/errors.js';
import { safeName } from '../../../web/app/files/safe-name.js';
import { escaped, inOneLine, initialOf, isolatedName, nameOf, pieces, plain } from '../../../web/app/names.js';
import { asText } from '../../../web/app/network-test/report.js';
import { whyNoCalls } from '../../../web/app/webrtc.js';

/** Each row: a name as another client may send it, and as it is shown. */
const names = [
  ['Ann', 'Ann'],
  ['', 'Guest'],
  [undefined, 'Guest'],
  ['\u202eAnn', 'Ann'],
  ['Ann\u2069\u2069\u202e', 'Ann'],
  ['\u200fAnn\u061c\u200e', 'Ann'],
  ['Ann\nBen\tCem\u2028Dan', 'Ann Ben Cem Dan'],
  ['\u200b\u2060\ufeff', 'Guest'],
  ['\u200d', 'Guest'],
  ['\u3164\u2800', 'Guest'],
  ['\u0301\u0301', 'Guest'],
  [`Ann${'\u0316'.repeat(61)}`, 'Ann\u0316\u0316\u0316\u0316'],
  ['יעל', 'יעל'],
  ['👩\u200d🚀', '👩\u200d🚀'],
  ['می\u200cخواهم', 'می\u200cخواهم'],
];

test('marks are counted across joiners, and in the names of files, too', () => {
  const tower = 'a' + '\u0301\u0316\u0301\u0316\u200d'.repeat(12);
  for (const shown of [nameOf({ name: tower }), safeName(tower)]) assert.ok([...shown].filter((one) => /\p{M}/u.test(one)).length <= 4, shown);
  for (const name of ['👩\u200d❤\ufe0f\u200d💋\u200d👩', 'क\u094d\u200dषि', 'Nguyễn', 'x\u0316\u0316\u0316\u0316\u200db']) assert.deepEqual([nameOf({ name }), safeName(name)], [name, name]);
});

for (const [name, shown] of names) {
  test(`the name ${escaped(String(name)).slice(0, 40)} is shown as ${shown}, and isolated in a text`, () => {
    assert.equal(nameOf({ name }), shown);
    assert.equal(isolatedName({ name }), `\u2068${shown}\u2069`);
  });
}

test('a text comes apart into what is isolated and what is not, and back', () => {
  const text = `Connected to ${isolatedName({ name: 'Ann\u2069' })} and ${isolatedName({ name: 'Ben' })}…`;
  assert.deepEqual(pieces(text), ['Connected to ', 'Ann', ' and ', 'Ben', '…']);
  assert.equal(plain(text), 'Connected to Ann and Ben…');
});

test('what turns or breaks up a text is taken out of a foreign one, and shown in a log', () => {
  assert.equal(inOneLine(' a\u202eb\r\nc\u0007 '), 'ab c');
  assert.equal(escaped('{"name":\t"a\u202eb\u2066"}\r\nv=0'), '{"name":\t"a\\u202eb\\u2066"}\r\nv=0');
});

test('what a STUN server says is isolated, and plain in the report', () => {
  const { code, text, url } = iceError({ url: 'stun:a.example', errorCode: 500, errorText: 'a\u202eb\nc' });
  const { what } = explain({ code, text, url }, url);
  assert.equal(what, 'a.example refuses (500 \u2068ab c\u2069)');
  const report = asText({ state: 'done', tests: [{ kind: 'stun', title: 'STUN', outcome: { grade: 'bad', words: what } }] });
  assert.match(report, /^\[Problem\] STUN: a\.example refuses \(500 ab c\)$/m);
});

test('a browser makes calls if it makes connections with channels', () => {
  class Usable { createDataChannel() {} close() {} }
  assert.equal(whyNoCalls(Usable), '');
  for (const RTCPeerConnection of [undefined, null, () => {}, class { close() {} }, class { constructor() { throw new Error(); } }]) {
    assert.match(whyNoCalls(RTCPeerConnection), /has no WebRTC/);
  }
});

// Half of a flag, an astronaut's head, and a letter without its mark.
test('the initial is a whole letter, with its marks, or a whole emoji', () => {
  const initials = { ann: 'A', 'e\u030bva': 'E\u030b', '🇺🇦 Olena': '🇺🇦', '👩‍🚀 Mia': '👩‍🚀', '\u200dben': 'B', 会議: '会', ßa: 'SS', '': '?', [Array(20).fill('👩').join('\u200d')]: '👩' };
  for (const [name, initial] of Object.entries(initials)) assert.equal(initialOf(name), initial, name);
});
