import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';

import { accessible } from './support/axe.js';
import { answer, goBack, launch, state } from './support/browser.js';
import { Server } from './support/server.js';

// How one gets in, and what the page says if one does not.

const TICKET_KEY = 'kZ3vq9TfWm1x8LrP0aYdBcQe5Ns7Hj2U';

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(['--leave-grace-ms', '15000']), launch({ camera: false })]); });
after(async () => { await browser.close(); await server.stop(); });

async function open(link, base = server.base) {
  const page = await (await browser.newContext()).newPage();
  await page.addInitScript(answer);
  await page.goto(`${base}/${link}`);
  return page;
}

async function join(link, base) {
  const page = await open(link, base);
  await page.getByTestId('join').click();
  return page;
}

const problem = (page) => page.getByTestId('lobby-status').textContent();
const close = (...pages) => Promise.all(pages.map((page) => page.context().close()));

/** As in docs/auth.md. */
function ticket(claims) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ exp: Math.floor(Date.now() / 1000) + 300, ...claims })}`;
  return `${signed}.${createHmac('sha256', TICKET_KEY).update(signed).digest('base64url')}`;
}

// Regression: with `--ticket-key` nobody could join through the page.
test('a ticket in the fragment lets one in, and nobody else by the link that the page shares', async () => {
  const ticketed = await Server.start(['--ticket-key', TICKET_KEY]);
  const stranger = await join('?room=tea&name=Eve&media=none', ticketed.base);
  await state(stranger, 'error');
  assert.match(await problem(stranger), /^This server lets in only people with a personal link/);
  await accessible(stranger);
  const sent = [];
  const ann = await open(`?room=tea&name=Ann&media=none#ticket=${ticket({ room: 'tea', create: true })}`, ticketed.base);
  ann.on('request', (request) => sent.push(request.url()));
  await ann.getByTestId('join').click();
  await state(ann, 'waiting');
  assert.equal(ann.url(), `${ticketed.base}/?room=tea`);
  assert.equal(sent.filter((url) => url.includes('ticket')).length, 0);
  await ann.getByTestId('show-qr').click();
  assert.equal(await ann.getByTestId('qr-link').getAttribute('href'), `${ticketed.base}/?room=tea`);
  // Hung up, she can join again: the page has not forgotten her ticket.
  await ann.getByTestId('qr-close').click();
  await ann.getByTestId('hang-up').click();
  await state(ann, 'lobby');
  await ann.getByTestId('join').click();
  await state(ann, 'waiting');
  const lost = await join(`?room=coffee&name=Ben&media=none#ticket=${ticket({ room: 'tea' })}`, ticketed.base);
  await state(lost, 'error');
  assert.match(await problem(lost), /^Your link is for a different room/);
  await close(stranger, ann, lost);
  await ticketed.stop();
});

// Regression: a wrong secret stayed in the address, and in every link that was shared from it.
test('a wrong secret is said to be wrong and not kept in the address, and a right one is', async () => {
  const ann = await join('?room=secret&name=Ann&media=none#secret=two+lumps', server.base);
  await state(ann, 'waiting');
  assert.equal(new URL(ann.url()).hash, '#secret=two+lumps');
  const ben = await join('?room=secret&name=Ben&media=none#secret=three+lumps');
  await state(ben, 'error');
  assert.match(await problem(ben), /^That is not this room’s secret/);
  assert.equal(ben.url(), `${server.base}/?room=secret`);
  await accessible(ben);
  await ben.getByTestId('secret').fill('two lumps');
  await ben.getByTestId('join').click();
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  assert.equal(new URL(ben.url()).hash, '#secret=two+lumps');
  const cleo = await join('?room=secret&name=Cleo&media=none#secret=lump');
  await state(cleo, 'error');
  assert.match(await problem(cleo), /^A room’s secret has at least 8 characters/);
  await cleo.getByTestId('secret').waitFor();
  await close(ann, ben, cleo);
});

// Regression: whatever one did, the form came back with the same refusal.
test('a room with more seats than the server allows can be opened with as many as it does', async () => {
  const ann = await join('?room=large&name=Ann&media=none&capacity=100');
  await state(ann, 'error');
  assert.match(await problem(ann), /at most 64 seats/);
  await ann.getByTestId('join').click();
  await state(ann, 'waiting');
  assert.equal((await (await fetch(`${server.base}/v1/rooms/large`)).json()).capacity, 64);
  await close(ann);
});

// Regression: it had a QR code of 127.0.0.1, which a phone cannot open.
test('a link to this computer warns, and is made with another address of the server', async () => {
  const ann = await join('?room=link&name=Ann&media=none#secret=two+lumps');
  await state(ann, 'waiting');
  await ann.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await ann.getByTestId('copy-link').click();
  await ann.getByTestId('local-link').getByRole('button').click();
  await ann.getByTestId('qr-warning').filter({ hasText: 'on this computer only' }).waitFor();
  await accessible(ann);
  if (process.env.SCREENSHOTS) await ann.screenshot({ path: `${process.env.SCREENSHOTS}/local-link.png` });
  await ann.getByTestId('elsewhere').fill('https://192.168.1.20:8443');
  await ann.getByTestId('qr-warning').waitFor({ state: 'hidden' });
  assert.equal(await ann.getByTestId('qr-link').getAttribute('href'), 'https://192.168.1.20:8443/?room=link#secret=two+lumps');
  await ann.getByTestId('qr-close').click();
  await ann.getByTestId('copy-link').filter({ hasText: 'Link copied' }).or(ann.getByTestId('copy-link')).click();
  await ann.waitForFunction(() => navigator.clipboard.readText().then((text) => text === 'https://192.168.1.20:8443/?room=link#secret=two+lumps'));
  assert.equal(await ann.getByTestId('local-link').isHidden(), true);
  await close(ann);
});

// Regression: the page said that the room was closed.
test('who is not let in again after an interruption learns why', async () => {
  const first = await Server.start(['--ticket-key', TICKET_KEY]);
  const ann = await join(`?room=tea&name=Ann&media=none#ticket=${ticket({ room: 'tea', create: true })}`, first.base);
  await state(ann, 'waiting');
  await first.stop();
  const second = await Server.start(['--ticket-key', [...TICKET_KEY].reverse().join('')], new URL(first.base).host);
  assert.equal(await over(ann, 'closed'), 'Your link is not valid here – please get a new one');
  await close(ann);
  await second.stop();
});

/** Resolves when the document says that it is over: with what, wherever it says so. */
async function over(page, wanted) {
  await state(page, wanted);
  const said = await page.evaluate(() => ({
    title: document.title, chat: document.querySelector('#chat-input').placeholder, status: document.querySelector('#status').textContent,
    button: document.querySelector('#hang-up span').textContent, nobody: document.querySelector('#no-connection').checkVisibility(),
  }));
  await page.getByTestId('copy-link').waitFor({ state: 'hidden' });
  await accessible(page);
  assert.deepEqual([said.chat, said.title.split(' · ')[0], said.button, said.nobody], [said.status, said.status, 'Back', false]);
  return said.status;
}

// Regressions: a removed person came back at once as somebody new; the chat still said that nobody was connected yet.
test('a person removed from a room that the page made stays out until it is unlocked, and every part of the page says how a call ended', async () => {
  const ann = await join('?room=host&name=Ann&media=none');
  await state(ann, 'waiting');
  const ben = await join('?room=host&name=Ben&media=none');
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  const roomToken = await ann.evaluate(() => Object.values({ ...sessionStorage }).map((text) => { try { return JSON.parse(text).roomToken; } catch { return null; } }).find(Boolean));
  const id = await ben.evaluate(() => window.signalpost.room.self.id);
  const administer = (method, path) => fetch(`${server.base}/v1/rooms/host${path}`, { method, headers: { Authorization: `Bearer ${roomToken}` } });
  await administer('DELETE', `/peers/${id}`);
  assert.equal(await over(ben, 'kicked'), 'You were removed from this room');
  await ann.getByTestId('locked').filter({ hasText: 'so that Ben cannot come back' }).waitFor();
  await accessible(ann);
  // A reload does not forget that.
  await ann.reload();
  await ann.getByTestId('locked').waitFor();
  await ben.getByTestId('hang-up').click();
  await state(ben, 'lobby');
  await ben.getByTestId('room').fill('host');
  await ben.getByTestId('join').click();
  await state(ben, 'error');
  assert.match(await problem(ben), /^The room is locked/);
  await ann.getByTestId('unlock').click();
  await ann.getByTestId('locked').waitFor({ state: 'hidden' });
  await ben.getByTestId('join').click();
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await administer('DELETE', '');
  assert.equal(await over(ben, 'closed'), 'The room was closed');
  await close(ann, ben);
});

// Regression: one swipe back ended the call.
test('going back asks first, and stays in the call', async () => {
  const ann = await join('?room=back&name=Ann&media=none');
  await state(ann, 'waiting');
  const id = await ann.evaluate(() => window.signalpost.room.self.id);
  await goBack(ann);
  await ann.getByTestId('stay').waitFor();
  await accessible(ann);
  await ann.getByTestId('stay').click();
  // A reload does not change that.
  await ann.reload();
  await state(ann, 'waiting');
  assert.equal(await ann.evaluate(() => window.signalpost.room.self.id), id);
  await goBack(ann);
  await ann.getByTestId('leave').click();
  await state(ann, 'lobby');
  await close(ann);
});

test('shortcuts work unless somebody types, are listed by ?, and can be switched off', async () => {
  const ann = await join('?room=keys&name=Ann&media=none');
  await state(ann, 'waiting');
  const ben = await join('?room=keys&name=Ben&media=none');
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  const focused = () => ann.evaluate(() => document.activeElement.dataset.testid);
  await ann.keyboard.press('c');
  assert.equal(await focused(), 'chat-input');
  await ann.keyboard.type('?cm');
  assert.equal(await ann.getByTestId('chat-input').inputValue(), '?cm');
  await ann.getByTestId('call-room').focus();
  await ann.keyboard.press('?');
  await ann.getByTestId('keys-dialog').waitFor();
  await accessible(ann);
  await ann.getByTestId('keys-enabled').uncheck();
  await ann.keyboard.press('Escape');
  await ann.getByTestId('call-room').focus();
  await ann.keyboard.press('c');
  assert.equal(await focused(), 'call-room');
  await close(ann, ben);
});

test('without JavaScript the pages say so and show no form', async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  for (const [path, form] of [['?room=tea', '#lobby-form'], ['network-test', '#start']]) {
    await page.goto(`${server.base}/${path}`);
    await page.getByTestId('no-script').waitFor();
    assert.equal(await page.locator(form).isVisible(), false, form);
  }
  await context.close();
});
