import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { enter, heard, launch, say, state, visit } from './support/browser.js';
import { Server } from './support/server.js';
import { Way } from './support/way.js';

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

const close = (...pages) => Promise.all(pages.map((page) => page.context().close()));

// ---- Names of people ---------------------------------------------------------------------------------------------

// Regression: the server refused it, on every visit, because it was stored before.
test('a name with a tab, pasted from a table, is made one line, also one that was stored', async () => {
  const ann = await visit(browser, server.base, { room: 'table', name: 'Ann', media: 'none' });
  await state(ann, 'waiting');
  await ann.evaluate(() => {
    sessionStorage.clear();
    localStorage.setItem('signalpost:name:/', 'Ann\tLee');
  });
  await ann.goto(`${server.base}/?room=table&media=none`);
  await ann.waitForSelector('body[data-loaded=true]');
  assert.equal(await ann.getByTestId('name').inputValue(), 'Ann Lee');
  await ann.getByTestId('name').fill('Ann\tvan\tLee ');
  await ann.getByTestId('join').click();
  await state(ann, 'waiting');
  assert.equal(await ann.evaluate(() => window.signalpost.room.self.name), 'Ann van Lee');
  await close(ann);
});

// Regression: a name with U+202E reversed the status, the title and the notes around it.
const TURNING = '\u202eAnn\u202d\u2066\u2069\u2069\u200f';
const MARKS = /[\u202a-\u202e\u2066\u2067\u200e\u200f]/;

/** Elements with a text or an attribute that shows the name without isolating it. */
function unisolated(name) {
  const found = [];
  for (const { attributes, outerHTML } of document.body.querySelectorAll('*')) {
    for (const { name: attribute, value } of attributes) {
      const shown = /^(aria-|title$|alt$|placeholder$)/.test(attribute) && value.replace(/\u2068[^\u2068\u2069]*\u2069/g, '').includes(name);
      if (shown && value !== name) found.push(outerHTML);
    }
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!node.data.includes(name) || parent.closest('script, template, pre')) continue;
    const alone = node.data.trim() === name && getComputedStyle(parent).unicodeBidi === 'isolate';
    if (!alone) found.push(parent.outerHTML);
  }
  return found;
}

test('a name with marks of direction turns nothing around, wherever it is shown', async () => {
  const ben = await visit(browser, server.base, { room: 'turned', name: 'Ben', media: 'none' });
  await state(ben, 'waiting');
  // The page does not send such a name, but other clients can.
  const context = await browser.newContext();
  const ann = await context.newPage();
  await ann.route('**/peers', async (route) => {
    const body = JSON.parse(route.request().postData() ?? '{}');
    await route.continue({ postData: JSON.stringify({ ...body, name: TURNING }) });
  });
  await enter(ann, `${server.base}/?room=turned&name=Ann&media=none`);
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  assert.equal(await ann.evaluate(() => window.signalpost.room.self.name), TURNING, 'the server relays it');
  await say(ann, 'a \u202e b');
  await heard(ben, 'b');
  await ben.getByTestId('diagnostics').locator('> summary').click();
  await ben.waitForFunction(() => document.querySelector('[data-testid=connection] .whom').textContent.includes('Ann'));
  assert.deepEqual(await ben.evaluate(unisolated, 'Ann'), []);
  const shown = await ben.evaluate(() => [document.title, document.querySelector('[data-testid=call]').innerText]);
  assert.match(shown[0], /^Connected to \u2068Ann\u2069 · \u2068turned\u2069$/);
  assert.equal(await ben.getByTestId('status').textContent(), 'Connected to Ann');
  assert.doesNotMatch(shown[1].replace('a \u202e b', ''), MARKS);
  for (const content of await ben.getByTestId('wire-entry').locator('pre').allTextContents()) {
    assert.doesNotMatch(content, MARKS, 'a message of the log turns around');
  }
  await ann.getByTestId('hang-up').click();
  await ben.getByTestId('status').filter({ hasText: 'Ann hung up – waiting for somebody to join' }).waitFor();
  await ben.getByTestId('chat-entry').filter({ hasText: 'Ann left' }).waitFor();
  assert.deepEqual(await ben.evaluate(unisolated, 'Ann'), []);
  await close(ann, ben);
});

test('a name that is written from right to left stays in its place', async () => {
  const [yael, ben] = [await visit(browser, server.base, { room: 'hebrew', name: 'יעל 3', media: 'none' }), await visit(browser, server.base, { room: 'hebrew', name: '3 Ben', media: 'none' })];
  await Promise.all([state(yael, 'connected'), state(ben, 'connected')]);
  await yael.getByTestId('hang-up').click();
  await ben.getByTestId('status').filter({ hasText: 'hung up' }).waitFor();
  // Compares positions on screen, not the order of characters in memory.
  const [name, verb] = await ben.getByTestId('status').evaluate((status) => {
    const range = document.createRange();
    const at = (node, from, to) => (range.setStart(node, from), range.setEnd(node, to), range.getBoundingClientRect());
    const isolated = status.querySelector('bdi').getBoundingClientRect();
    const text = [...status.childNodes].find((node) => node.data?.includes('hung'));
    const words = at(text, text.data.indexOf('hung'), text.data.indexOf('hung') + 4);
    return [[isolated.left, isolated.right], [words.left, words.right]];
  });
  assert.ok(name[1] <= verb[0], `the name ends at ${name[1]}, and what follows begins at ${verb[0]}`);
  await close(yael, ben);
});

test('a name out of marks and blanks is shown as one that fits its place', async () => {
  const ann = await visit(browser, server.base, { room: 'odd', name: `A${'\u0301\u0316'.repeat(30)}`, media: 'none' });
  const ben = await visit(browser, server.base, { room: 'odd', name: '\u200b\u2060\u3164', media: 'none' });
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  assert.equal(await ann.getByTestId('status').textContent(), 'Connected to Guest');
  const name = await ben.getByTestId('remote-tile').locator('[data-part=name]').textContent();
  assert.match(name, /^[AÁ]\p{M}{1,4}$/u);
  await close(ann, ben);
});

// ---- Names of rooms ----------------------------------------------------------------------------------------------

/** Each row: the name in one visitor's link, what the other types, what both see, and the room's name in the API. */
const rooms = [
  ['会議', '会議', '会議', 'xn--6oqw48l'],
  ['Straße', 'STRASSE', 'strasse', 'strasse'],
  ['Tea', 'tea', 'tea', 'tea'],
  ['café', 'CAFE\u0301', 'café', 'xn--caf-dma'],
  ['مرحبا', 'مرحبا', 'مرحبا', 'xn--mgbbop3h'],
];

for (const [linked, typed, name, apiName] of rooms) {
  test(`a link to ${linked} and ${typed} in the form lead to one room`, async () => {
    const ann = await visit(browser, server.base, { room: linked, name: 'Ann', media: 'none' });
    await state(ann, 'waiting');
    assert.equal((await new Way(server.base).ask(`/v1/rooms/${apiName}`)).status, 200, `there is no room ${apiName}`);
    const context = await browser.newContext();
    const ben = await context.newPage();
    await ben.goto(server.base);
    await ben.getByTestId('name').fill('Ben');
    await ben.getByTestId('room').fill(typed);
    await ben.getByTestId('join').click();
    await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
    for (const page of [ann, ben]) {
      assert.equal(await page.getByTestId('call-room').textContent(), name);
      assert.equal(new URL(page.url()).searchParams.get('room'), name);
    }
    await ben.getByTestId('show-qr').click();
    assert.equal(await ben.getByTestId('qr-link').textContent(), `${server.base}/?room=${name}`);
    assert.deepEqual(await ben.getByTestId('qr-link').locator('bdi').allTextContents(), [name], 'the address around it stays as it is');
    // A reload returns to the room.
    await ben.reload();
    await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
    await close(ann, ben);
  });
}

test('a link whose room cannot be one says so, and joins none', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  for (const [room, why] of [['!!!', /at least one letter or digit/], ['x'.repeat(65), /too long: it has 65 characters, and the limit is 64/]]) {
    await page.goto(`${server.base}/?${new URLSearchParams({ room, name: 'Ann' })}`);
    await state(page, 'lobby');
    assert.match(await page.getByTestId('lobby-status').textContent(), why);
  }
  await page.getByTestId('room').fill('会'.repeat(80));
  await page.getByTestId('join').click();
  assert.match(await page.getByTestId('lobby-status').textContent(), /too long.*letters other than a to z count as more/);
  await page.getByTestId('room').fill('会議');
  await page.getByTestId('media-none').check();
  await page.getByTestId('join').click();
  await state(page, 'waiting');
  await close(page);
});
