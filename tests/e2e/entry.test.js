import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';

import { accessible } from './support/axe.js';
import { answer, launch, state } from './support/browser.js';
import { Server } from './support/server.js';

// How one gets in, and what the page says if one does not.

const TICKET_KEY = 'kZ3vq9TfWm1x8LrP0aYdBcQe5Ns7Hj2U';

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(), launch({ camera: false })]); });
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
  await ann.locator('dialog[open] button').first().click();
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
