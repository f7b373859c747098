import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { accessible } from './support/axe.js';
import { enter, framesDecoded, heard, idOf, launch, say, state, videoRuns, visit } from './support/browser.js';
import { Server } from './support/server.js';

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

/** Two people in a room, connected. */
async function call(room) {
  const ann = await visit(browser, server.base, { room, name: 'Ann' });
  await state(ann, 'waiting');
  const ben = await visit(browser, server.base, { room, name: 'Ben' });
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  return [ann, ben];
}

async function close(...pages) {
  await Promise.all(pages.map((page) => page.context().close()));
}

test('a call connects, video really arrives on both sides, and chat goes both ways', async () => {
  const [ann, ben] = await call('tea');
  assert.match(await ann.getByTestId('status').textContent(), /Connected to Ben/);
  await Promise.all([videoRuns(ann, 30), videoRuns(ben, 30)]);
  await say(ann, 'one lump?');
  await heard(ben, 'one lump?');
  await say(ben, 'two, please');
  await heard(ann, 'two, please');
  const shown = await ben.evaluate(() => document.querySelector('[data-testid=remote-video]').currentTime);
  assert.ok(shown > 0, `the video element stands at ${shown}`);
  await close(ann, ben);
});

test('hanging up tells the other side, and the room can be used again', async () => {
  const [ann, ben] = await call('hang-up');
  await ben.getByTestId('hang-up').click();
  await state(ben, 'lobby');
  await state(ann, 'waiting');
  assert.match(await ann.getByTestId('status').textContent(), /Ben/);
  await ben.getByTestId('room').fill('hang-up');
  await ben.getByTestId('join').click();
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await videoRuns(ann);
  await close(ann, ben);
});

test('closing a tab tells the other', async () => {
  const [ann, ben] = await call('closing');
  await ann.evaluate(() => { window.left = new Promise((resolve) => { window.signalpost.room.on('peer-left', ({ reason }) => resolve(reason)); }); });
  await ben.close({ runBeforeUnload: true });
  assert.equal(await ann.evaluate(() => window.left), 'left', 'not only its lease has ended');
  await state(ann, 'waiting');
  assert.match(await ann.getByTestId('status').textContent(), /Ben left/);
  await close(ann, ben);
});

test('a third visitor is told that the room is full, and gets in when a seat frees', async () => {
  const [ann, ben] = await call('full');
  const cleo = await visit(browser, server.base, { room: 'full', name: 'Cleo' });
  await state(cleo, 'full');
  assert.match(await cleo.getByTestId('status').textContent(), /Room is full/);
  await accessible(cleo);
  await ben.getByTestId('hang-up').click();
  await Promise.all([state(cleo, 'connected'), state(ann, 'connected')]);
  assert.match(await ann.getByTestId('status').textContent(), /Connected to Cleo/);
  await videoRuns(cleo);
  await close(ann, ben, cleo);
});

test('refreshing a tab in mid-call gets the same seat back, and the call returns', async () => {
  const [ann, ben] = await call('refresh');
  for (const page of [ann, ben, ann]) {
    const id = await idOf(page);
    const other = page === ann ? ben : ann;
    const started = Date.now();
    await page.reload();
    await state(page, 'connected');
    await videoRuns(page, 1);
    await videoRuns(other, 1);
    const took = Date.now() - started;
    assert.equal(await idOf(page), id, 'the seat is another one');
    await say(page, `back ${started}`);
    await heard(other, `back ${started}`);
    console.log(`call back ${took} ms after the refresh`);
  }
  await close(ann, ben);
});

test('of two tabs with one token the newer has the seat, and the older can take over again', async () => {
  const [ann, ben] = await call('tabs');
  // As "duplicate tab" does: the new tab starts with a copy of the session storage.
  const kept = await ben.evaluate(() => JSON.stringify({ ...sessionStorage }));
  const twin = await ben.context().newPage();
  await twin.addInitScript((copy) => Object.assign(sessionStorage, JSON.parse(copy)), kept);
  await enter(twin, ben.url());
  await state(ben, 'superseded');
  await Promise.all([state(twin, 'connected'), state(ann, 'connected')]);
  assert.equal(await idOf(twin), JSON.parse(await ann.evaluate(() => JSON.stringify([...window.signalpost.room.peers.keys()][0]))));
  assert.equal(await ben.getByTestId('chat-input').getAttribute('placeholder'), 'This call is open in another tab');
  await accessible(ben);
  await ben.getByTestId('use-here').filter({ hasText: 'Switch to this tab' }).click();
  await state(twin, 'superseded');
  await Promise.all([state(ben, 'connected'), state(ann, 'connected')]);
  await close(ann, ben);
});

test('four people see each other', async () => {
  const names = ['Ann', 'Ben', 'Cleo', 'Dan'];
  const pages = [];
  for (const name of names) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await enter(page, `${server.base}/?room=four&capacity=4&media=video&name=${name}`);
    pages.push(page);
  }
  await accessible(pages[0]);
  for (const page of pages) {
    await page.waitForFunction(() => document.querySelectorAll('[data-testid=remote-video]').length === 3
      && [...document.querySelectorAll('[data-testid=remote-video]')].every((video) => video.videoWidth > 0), null, { timeout: 120_000 });
    assert.ok(await framesDecoded(page) > 0);
  }
  await close(...pages);
});
