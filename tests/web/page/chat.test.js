import assert from 'node:assert/strict';
import { test } from 'node:test';

import { History } from '../../../web/app/chat/history.js';
import { linksIn } from '../../../web/app/chat/links.js';
import { Unread } from '../../../web/app/chat/unread.js';

/** Each row: a text, and the links in it. */
const texts = [
  ['see https://example.org/a?b=c#d.', ['https://example.org/a?b=c#d']],
  ['(https://example.org) and (see https://example.org/x)!', ['https://example.org', 'https://example.org/x']],
  ['https://en.wikipedia.org/wiki/Tea_(meal)', ['https://en.wikipedia.org/wiki/Tea_(meal)']],
  ['HTTP://EXAMPLE.ORG, 会議 https://例え.jp/茶', ['HTTP://EXAMPLE.ORG', 'https://例え.jp/茶']],
  ['javascript:alert(1) data:text/html,x ftp://a.example file:///etc/passwd mailto:a@b.example', []],
  ['https://bank.example@evil.example/ http:// https://', []],
  ['https://example.org/\u202egpj.exe', ['https://example.org/']],
  ['"https://example.org/"<https://example.net>', ['https://example.org/', 'https://example.net']],
  ['xhttps://example.org', []],
  ['', []],
];
for (const [text, links] of texts) {
  test(`links in ${JSON.stringify(text)}`, () => {
    const pieces = linksIn(text);
    assert.deepEqual(pieces.flatMap(({ href }) => href ?? []), links);
    assert.equal(pieces.map((piece) => piece.text).join(''), text);
  });
}

test('a long text of brackets and dots is split in no time', () => assert.equal(linksIn(`https://a.example/${').'.repeat(4_000)}`)[0].href, 'https://a.example/'));

test('messages are counted in the title while the page is hidden', () => {
  const heard = {};
  const page = { hidden: false, title: '', addEventListener: (name, listener) => { heard[name] = listener; } };
  const unread = new Unread(page);
  unread.name('Tea');
  assert.equal(unread.add(), false);
  page.hidden = true;
  assert.deepEqual([unread.add(), unread.add(), page.title], [true, true, '(2) Tea']);
  unread.name('Coffee');
  assert.equal(page.title, '(2) Coffee');
  page.hidden = false;
  heard.visibilitychange();
  assert.equal(page.title, 'Coffee');
});

const memory = (kept = new Map()) => ({ getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value), removeItem: (key) => void kept.delete(key) });

test('what was said is there after a reload, in the same room only, until the call is over', () => {
  const storage = memory();
  const before = new History(storage);
  before.open('tea');
  for (let number = 0; number < 300; number += 1) before.add({ who: 'Ann', text: `${number}`, kind: 'theirs' });
  before.save();
  assert.deepEqual(new History(storage).open('coffee'), []);
  const after = new History(storage);
  const all = after.open('tea');
  assert.deepEqual([all.length, all[0].text, all.at(-1).text], [200, '100', '299']);
  for (let number = 0; number < 100; number += 1) after.add({ who: 'Ann', text: 'x'.repeat(8_000), kind: 'theirs' });
  after.save();
  assert.equal(new History(storage).open('tea').length, 50);
  after.forget();
  after.save();
  assert.deepEqual(new History(storage).open('tea'), []);
});

test('a note is kept with what it says, in whatever language, and is a plain text if that is no message', () => {
  const kept = new Map();
  const storage = memory(kept);
  const note = { who: '', text: 'Ben joined', kind: 'note' };
  const before = new History(storage);
  before.open('tea');
  const said = { key: 'joined', values: { name: 'Ben' } };
  before.add({ ...note, said });
  for (const wrong of [{ key: 'toString', values: {} }, { key: 'joined', values: { name: {} } }, 7, { values: {} }]) before.add({ ...note, said: wrong });
  before.add({ ...note, kind: 'theirs', said });
  before.save();
  assert.deepEqual(new History(storage).open('tea'), [{ ...note, said }, note, note, note, note, { ...note, kind: 'theirs' }]);
});

test('storage that holds something else is no history', () => {
  for (const value of ['null', '[', '7', '{"room":"tea","entries":7}', '{"room":"tea","entries":[null,7,{"who":"a"},{"who":"a","text":"b","kind":"evil"}]}']) {
    assert.deepEqual(new History({ ...memory(), getItem: () => value }).open('tea'), []);
  }
});
