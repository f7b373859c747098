import assert from 'node:assert/strict';
import { test } from 'node:test';
import { domainToASCII } from 'node:url';

import { decode, encode } from '../../../web/app/punycode.js';
import { fromApiName, toApiName, toRoomName, whyNoRoomName } from '../../../web/app/room-name.js';

// Regressions: `?room=会議` gave each visitor a different random room, `Straße` became `Strae`, `Tea` and `tea` were two rooms.

/** Each row: spellings of a name, the name, and its form in the API. */
const rooms = [
  [['tea', 'Tea', 'TEA', 'ｔｅａ', ' tea ', 'te\u00ada', 't\u202eea\u202c', 'tea\ufeff'], 'tea', 'tea'],
  [['会議', '会\u200b議'], '会議', 'xn--6oqw48l'],
  [['Straße', 'STRASSE', 'STRAẞE', 'strasse'], 'strasse', 'strasse'],
  [['Café', 'cafe\u0301', 'CAFÉ'], 'café', 'xn--caf-dma'],
  [['ガイ', 'ｶﾞｲ', 'カ\u3099イ'], 'ガイ', 'xn--eckp'],
  [['ΟΔΟΣ', 'οδος', 'οδοσ'], 'οδοσ', 'xn--pxavbq'],
  // Independent of the browser's language.
  [['İstanbul', 'istanbul', 'ISTANBUL', 'ıstanbul', 'I\u0307stanbul'], 'istanbul', 'istanbul'],
  [['김치', '김치'.normalize('NFD')], '김치', 'xn--4k0bq22d'],
  [['مرحبا'], 'مرحبا', 'xn--mgbbop3h'],
  [['नमस्ते'], 'नमस्ते', 'xn--h2bhs4b8d8a'],
  [['🍵', '🍵\ufe0f'], '🍵', 'xn--sj8h'],
  [['٣'], '٣', 'xn--cib'],
  [['  Café  Tee /Zimmer 1! '], 'café-tee-zimmer-1', 'xn--caf-tee-zimmer-1-dqb'],
  [['tea-time', 'Tea time', 'tea–time', 'tea—time', 'tea\u2011time', 'tea\u2010time', 'tea−time', 'tea－time'], 'tea-time', 'tea-time'],
  [['~a.b_c-d', '~A.B_C-D'], '~a.b_c-d', '~a.b_c-d'],
  [['...'], '...', '...'],
];

for (const [ways, name, apiName] of rooms) {
  test(`${ways.length} ways to write ${name} lead to one room, which the API calls ${apiName}`, () => {
    assert.deepEqual(ways.map(toRoomName), ways.map(() => name));
    assert.equal(toApiName(name), apiName);
    assert.equal(fromApiName(apiName), name);
    assert.equal(toRoomName(apiName), name, 'a link with the name that the API has leads there, too');
  });
}

test('what is no name is none, and said to be none', () => {
  for (const typed of ['', '/', '!!!', '.', '..', ' ', '\u202e', '\u0301']) {
    assert.equal(toRoomName(typed), '', JSON.stringify(typed));
    assert.match(whyNoRoomName(typed), /at least one letter or digit/);
  }
});

test('a name that is too long is refused with its length, and never cut: its beginning may be another room', () => {
  assert.equal(whyNoRoomName('x'.repeat(64)), '');
  assert.match(whyNoRoomName('x'.repeat(65)), /has 65 characters, and the limit is 64\.$/);
  const long = '東京特許許可局長会議室第二十四番目予約済関係者以外立入禁止';
  assert.match(whyNoRoomName(long), /has \d+ characters, and the limit is 64 \(letters other/);
  assert.equal(toRoomName(long), long);
});

/** Deterministic, so that failures are reproducible. */
function random(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const ALPHABETS = ['abzABZ09.-_~', 'ßẞſKÅÄäéǆŉǰİıiI\u0307\u0327', 'σςΣΐᾳ\u0345', 'あア会議ガ\u3099ﾞｶ', 'עربيةשלום\u202e\u200d\u200c', '🍵👨\u200d👩🏽1️⃣', ' /!?#%&\n\t', 'ꭰᎠხნ𐐀𐐨𝒯ﬁ²'];

/** Mostly letters with special rules, mixed with arbitrary characters. */
function typedBy(pick) {
  const character = () => {
    if (pick(8) === 0) return String.fromCodePoint(pick(2) ? pick(0xd800) : 0xe000 + pick(0x10000));
    const alphabet = [...ALPHABETS[pick(ALPHABETS.length)]];
    return alphabet[pick(alphabet.length)];
  };
  return Array.from({ length: 1 + pick(9) }, character).join('');
}

test('of 20,000 random names each comes back from what the API calls it, and no two are called the same', () => {
  const pick = random(11);
  const called = new Map();
  for (let count = 0; count < 20_000; count += 1) {
    const typed = typedBy(pick);
    const name = toRoomName(typed);
    if (name === '') continue;
    const apiName = toApiName(name);
    const story = JSON.stringify({ typed, name, apiName });
    assert.equal(toRoomName(name), name, `a name stands for itself: ${story}`);
    for (const form of ['NFC', 'NFD', 'NFKC', 'NFKD']) assert.equal(toRoomName(typed.normalize(form)), name, `${form} ${story}`);
    assert.match(apiName, /^[A-Za-z0-9._~-]+$/, story);
    assert.equal(apiName, apiName.toLowerCase(), story);
    assert.equal(fromApiName(apiName), name, story);
    assert.equal(called.get(apiName) ?? name, name, `two rooms are called ${apiName}`);
    called.set(apiName, name);
  }
  assert.ok(called.size > 10_000, `${called.size} names`);
});

test('upper and lower case of every letter that has both lead to one room', () => {
  for (let point = 0; point < 0x1f000; point += 1) {
    if (point >= 0xd800 && point < 0xe000) continue;
    const letter = String.fromCodePoint(point);
    if (!/\p{L}/u.test(letter)) continue;
    const name = toRoomName(letter);
    for (const other of [letter.toUpperCase(), letter.toLowerCase(), letter.toLocaleUpperCase('tr'), letter.toLocaleLowerCase('lt')]) {
      assert.equal(toRoomName(other), name, `${letter} (U+${point.toString(16)}) and ${other}`);
    }
  }
});

// RFC 3492, section 7.1 (A), (B), (I), (L) and (S), in lower case, because case has no meaning there.
const samples = [
  ['ليهمابتكلموشعربي؟', 'egbpdaj6bu4bxfgehfvwxn'],
  ['他们为什么不说中文', 'ihqwcrb4cv8a8dqg056pqjye'],
  ['почемужеонинеговорятпорусски', 'b1abfaaepdrnnbgefbadotcwatmq2g4l'],
  ['3年b組金八先生', '3b-ww4c5e180e575a65lsy2b'],
  ['-> $1.00 <-', '-> $1.00 <--'],
];

test('Punycode is that of RFC 3492', () => {
  for (const [text, encoded] of samples) {
    assert.equal(encode(text), encoded);
    assert.equal(decode(encoded), text);
  }
  for (const host of ['bücher', '会議', 'пример']) assert.equal(toApiName(host), domainToASCII(host));
});

test('what is no Punycode decodes to nothing', () => {
  for (const nonsense of ['b', '99999999999999', 'é', 'x-!', 'zzzzzzzzzzzzzzzzzzzz']) assert.equal(decode(nonsense), null, nonsense);
});
