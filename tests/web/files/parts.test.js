import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { crc32 as expected } from 'node:zlib';

import { crc32 } from '../../../web/app/files/crc32.js';
import { Pace } from '../../../web/app/files/pace.js';
import { safeName } from '../../../web/app/files/safe-name.js';
import { Parts, read } from '../../../web/app/files/wire.js';
import { sizeIn, textOf } from '../../../web/app/files/words.js';
import common from '../../../web/app/languages/en.js';
import german from '../../../web/app/languages/files/de.js';
import english from '../../../web/app/languages/files/en.js';
import { learn, speak } from '../../../web/app/languages/say.js';
import trouble from '../../../web/app/languages/trouble/en.js';
import { bytesOf } from '../support/files.js';

learn(english);
afterEach(() => speak('en', { ...common, ...trouble, ...english }));

// ---- Sums -------------------------------------------------------------------------------------------------------------

const SUMS = { '': 0, 'a': 0xe8b7be43, '123456789': 0xcbf43926 };
for (const [text, sum] of Object.entries(SUMS)) test(`the CRC-32 of "${text}"`, () => assert.equal(crc32(new TextEncoder().encode(text)), sum));

test('a sum continues where it stopped, wherever that is', () => {
  const bytes = bytesOf(1_000);
  const whole = crc32(bytes);
  for (const at of [0, 1, 2, 3, 4, 5, 500, 999, 1_000]) assert.equal(crc32(bytes.subarray(at), crc32(bytes.subarray(0, at))), whole);
  if (expected) assert.equal(whole, expected(bytes));
});

// ---- Names ------------------------------------------------------------------------------------------------------------

const names = [
  ['tea.pdf', 'tea.pdf'],
  ['../../etc/passwd', '_.._etc_passwd'],
  ['C:\\Windows\\system32\\x.exe', 'C__Windows_system32_x.exe'],
  ['photo\u202egpj.exe', 'photogpj.exe'],
  ['a\u0000b\n\tc\u2028d.txt', 'a_b__c d.txt'],
  ['.bashrc', 'bashrc'],
  ['report. . .', 'report'],
  ['photo.jpg                                        .exe', 'photo.jpg .exe'],
  ['CON', '_CON'],
  ['nul.txt', '_nul.txt'],
  ['console.log', 'console.log'],
  ['', 'file'],
  ['\u202e\u200b', 'file'],
  ['..', 'file'],
  ['会議 🍵.txt', '会議 🍵.txt'],
  ['cafe\u0301.txt', 'caf\u00e9.txt'],
  ['a?b*c<d>e|f"g.txt', 'a_b_c_d_e_f_g.txt'],
];
for (const [from, to] of names) test(`a file named ${JSON.stringify(from)}`, () => assert.equal(safeName(from), to));

test('a long name is shortened, and its extension stays', () => {
  for (const letter of ['x', '茶', '🍵']) {
    const name = safeName(`${letter.repeat(1_000)}.tar.gz`);
    assert.match(name, /^.+…\.gz$/u);
    assert.ok(Buffer.byteLength(name) <= 200 && Buffer.byteLength(name) > 190, `${Buffer.byteLength(name)} bytes`);
    assert.ok(!name.includes('\ufffd'));
  }
  assert.ok(Buffer.byteLength(safeName(`a.${'x'.repeat(500)}`)) <= 200);
});

// ---- Messages ---------------------------------------------------------------------------------------------------------

test('a part has the number of its file and its offset before it', () => {
  const parts = new Parts();
  const message = parts.message(0xfedcba98, 2 ** 40 + 1, bytesOf(5)).slice();
  assert.equal(Buffer.from(message).toString('hex'), `fedcba980000010000000001${Buffer.from(bytesOf(5)).toString('hex')}`);
  assert.deepEqual(read(message.buffer), { type: 'chunk', id: 0xfedcba98, offset: 2 ** 40 + 1, bytes: bytesOf(5) });
  const lengths = (limit) => [...parts.of(bytesOf(70_000), { limit })].map(({ length }) => length);
  assert.deepEqual([lengths(1e6), lengths(Infinity), lengths(40_000)], [[32_768, 32_768, 4_464], [32_768, 32_768, 4_464], [32_768, 32_768, 4_464]]);
  assert.deepEqual(lengths(16_384), [16_372, 16_372, 16_372, 16_372, 4_512]);
});

const nonsense = [
  undefined, null, '', '{', '[]', 'null', '7', '{"type":7}', '{"type":"hello"}', '{"type":"hello","files":{}}', '{"type":"offer"}', '{"type":"offer","file":[]}',
  '{"type":"offer","file":{"id":1,"name":"x","size":-1}}', '{"type":"offer","file":{"id":1,"name":"x","size":1.5}}', '{"type":"offer","file":{"id":1,"name":"x","size":1e300}}',
  '{"type":"offer","file":{"id":-1,"name":"x","size":1}}', '{"type":"offer","file":{"id":4294967296,"name":"x","size":1}}', '{"type":"offer","file":{"id":1,"name":7,"size":1}}',
  `{"type":"offer","file":{"id":1,"name":"${'x'.repeat(1_025)}","size":1}}`, '{"type":"accept","id":1}', '{"type":"accept","id":1,"offset":"0"}', '{"type":"end","id":1}', '{"type":"received"}',
  new ArrayBuffer(0), new ArrayBuffer(12), new Blob(['x']),
];
for (const data of nonsense) test(`${typeof data === 'string' ? data.slice(0, 70) : String(data)} says nothing`, () => assert.equal(read(data), null));

test('an unknown reason counts as cancelled, and what is wrong in a greeting is left out', () => {
  assert.equal(read('{"type":"decline","id":1,"reason":"whim"}').reason, 'cancelled');
  assert.equal(read('{"type":"withdraw","id":1}').reason, 'cancelled');
  assert.deepEqual(read('{"type":"hello","files":[{"id":1,"name":"x","size":1,"mime":7,"more":1},null]}').files, [{ id: 1, name: 'x', size: 1, mime: '' }]);
});

// ---- Speed ------------------------------------------------------------------------------------------------------------

test('the speed is that of the last seconds, and the rest takes as long', () => {
  const pace = new Pace();
  assert.deepEqual([pace.speed, pace.remaining(10)], [null, null]);
  pace.mark(0, 0);
  pace.mark(500, 500);
  assert.equal(pace.speed, null, 'too early to say');
  for (let at = 1_000; at <= 20_000; at += 500) pace.mark(at, at <= 10_000 ? at : 10_000 + (at - 10_000) * 2);
  assert.equal(pace.speed, 2_000);
  assert.equal(pace.remaining(50_000), 10);
  pace.clear();
  assert.equal(pace.speed, null);
});

test('a file that begins again has no speed from before', () => {
  const pace = new Pace();
  pace.mark(0, 5_000);
  pace.mark(2_000, 9_000);
  pace.mark(2_100, 3_000);
  pace.mark(3_200, 4_100);
  assert.equal(pace.speed, 1_000);
});

// ---- Words ------------------------------------------------------------------------------------------------------------

test('sizes in the words of the language', () => {
  assert.deepEqual([0, 1, 999, 1_000, 1_234_567, 12_345_678, 999_999_999, 1e9, 5e12].map((size) => sizeIn(size)), ['0 bytes', '1 byte', '999 bytes', '1 kB', '1.2 MB', '12 MB', '1 GB', '1 GB', '5 TB']);
  assert.equal(sizeIn(2_500_000, true), '2.5 MB/s');
  speak('de', german);
  assert.equal(sizeIn(1_500_000), '1,5 MB');
});

test('whatever becomes of a file, there is a sentence for it', () => {
  const pace = { speed: 2e6, remaining: () => 135 };
  const about = { peer: { id: 'b', name: 'Ben\u202e' }, interrupted: false, pace };
  const offer = { id: 1, name: 'x', size: 4e6, mime: '' };
  const common = { offer, stored: 1e6, agreed: true };
  const [out, into] = [{ ...common, source: {} }, common];
  assert.equal(textOf({ ...out, state: 'sending' }, about), '1 MB of 4 MB – 2 MB/s – 2 min left');
  assert.equal(textOf({ ...out, state: 'sending' }, { ...about, interrupted: true }), 'Interrupted. It will continue when \u2068Ben\u2069 reconnects.');
  assert.equal(textOf({ ...into, state: 'receiving' }, { ...about, pace: new Pace() }), '1 MB of 4 MB');
  const ends = { out: ['declined', 'cancelled', 'space', 'disk', 'too-large', 'too-many', 'damaged', 'unreadable', 'gone', 'left'], in: ['declined', 'cancelled', 'space', 'disk', 'too-large', 'damaged', 'unreadable', 'gone', 'left'] };
  for (const [way, whys] of Object.entries(ends)) {
    const texts = whys.map((why) => textOf({ ...(way === 'out' ? out : into), state: 'over', why, by: 'them' }, about));
    assert.equal(new Set(texts).size, whys.length, texts.join('\n'));
    assert.equal(textOf({ ...(way === 'out' ? out : into), state: 'over', why: 'cancelled', by: 'us' }, about), 'You cancelled it.');
  }
});
