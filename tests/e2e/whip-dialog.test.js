import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { accessible } from './support/axe.js';
import { launch, state, videoRuns, visit } from './support/browser.js';
import { Server } from './support/server.js';
import { encoder } from './support/whip.js';

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(['--room-capacity', '3']), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

async function inCall(t, room, options = {}) {
  const page = await visit(browser, server.base, { room, name: 'Ann', answers: false, ...options });
  t.after(() => page.context().close());
  await page.waitForFunction(() => window.signalpost?.room);
  return page;
}

async function open(page, button) {
  await page.getByTestId('show-qr').click();
  await page.getByTestId(button).click();
  await page.getByTestId('whip-dialog').waitFor();
}

const text = (page, id) => page.getByTestId(id).textContent();

test('the address from the dialog works, and while it is open the encoder comes in without a question', async (t) => {
  const page = await inCall(t, 'address');
  assert.deepEqual(await page.evaluate(() => performance.getEntriesByType('resource').filter(({ name }) => /whip\/(dialog|lines|elements)/.test(name)).length), 0, 'it is loaded when it is used');
  await open(page, 'add-encoder');
  await accessible(page);
  const gstreamer = page.locator('.whip-dialog details').filter({ hasText: 'GStreamer' });
  await gstreamer.locator('summary').click();
  await page.getByTestId('whip-name').fill('Camera at the door');
  assert.equal(await gstreamer.evaluate(({ open }) => open), true, 'a command that is read stays open');
  const address = await text(page, 'whip-address');
  assert.equal(address, `${server.base}/v1/rooms/address/whip?name=Camera%20at%20the%20door`);
  assert.ok((await text(page, 'whip-GStreamer')).includes(`signaller::whip-endpoint='${address}'`));
  assert.equal(await page.getByTestId('whip-token').isVisible(), false);
  await encoder(t, address);
  await state(page, 'connected');
  await videoRuns(page);
  assert.equal(await page.getByTestId('caller').count(), 0);
  await page.getByTestId('whip-close').click();
  assert.match(await page.getByTestId('remote-tile').locator('figcaption').textContent(), /Camera at the door – encoder/);
});

test('if the dialog does not load, that is said', async (t) => {
  const page = await inCall(t, 'blocked', { media: 'none' });
  await page.context().route('**/whip/dialog.js', (route) => route.abort());
  await page.getByTestId('show-qr').click();
  await page.getByTestId('add-encoder').click();
  await page.getByTestId('whip-not-loaded').waitFor();
  await accessible(page);
});

test('without the dialog there is a question, with words of its own', async (t) => {
  const page = await inCall(t, 'question');
  await encoder(t, `${server.base}/v1/rooms/question/whip?name=OBS`);
  const caller = page.getByTestId('caller');
  await caller.filter({ hasText: 'receives nothing from you' }).waitFor();
  await caller.getByTestId('answer').click();
  await state(page, 'connected');
  await videoRuns(page);
});

test('a secret is the token', async (t) => {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(`${server.base}/?room=secret&name=Ann&media=both#secret=it's two lumps`);
  await page.getByTestId('join').click();
  await page.waitForFunction(() => window.signalpost?.room);
  await open(page, 'add-encoder');
  assert.equal(await text(page, 'whip-token'), 'it\'s two lumps');
  assert.ok((await text(page, 'whip-GStreamer')).includes(String.raw`signaller::auth-token='it'\''s two lumps'`));
  await page.getByTestId('whip-close').click();
  const [address, token] = [await text(page, 'whip-address'), await text(page, 'whip-token')];
  await encoder(t, address, token);
  await state(page, 'connected');
  await videoRuns(page);
});

test('it can be sent to somebody else in the room; a full room is told', async (t) => {
  const ann = await inCall(t, 'others', { media: 'none', answers: true });
  const ben = await inCall(t, 'others', { name: 'Ben', answers: true });
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await open(ann, 'add-encoder');
  await ann.getByTestId('whip-to').selectOption({ label: 'Ben' });
  await encoder(t, await text(ann, 'whip-address'));
  await ben.getByTestId('remote-tile').filter({ hasText: 'encoder' }).waitFor();
  await ann.getByTestId('whip-close').click();
  await open(ann, 'add-encoder');
  await ann.getByTestId('whip-dialog').getByText('All seats of the room are taken').waitFor();
});

test('a player has an address, too', async (t) => {
  const page = await inCall(t, 'whep');
  await open(page, 'watch-in-player');
  await accessible(page);
  const id = await page.evaluate(() => window.signalpost.room.self.id);
  assert.equal(await text(page, 'whip-address'), `${server.base}/v1/rooms/whep/whep?to=${id}`);
});

for (const [name, options] of Object.entries({
  phone: { viewport: { width: 390, height: 844 } },
  'narrow, Arabic and dark': { viewport: { width: 320, height: 640 }, locale: 'ar', colorScheme: 'dark' },
})) {
  test(`${name}: nothing of the dialog is cut off`, async (t) => {
    const page = await inCall(t, 'small', options);
    await open(page, 'add-encoder');
    for (const summary of await page.locator('.whip-dialog summary').all()) await summary.click();
    await page.getByTestId('whip-simple-whip-client').waitFor();
    const cut = await page.evaluate(() => [...document.querySelectorAll('.whip-dialog *')].filter((one) => {
      const { left, right, width } = one.getBoundingClientRect();
      return width > 0 && (left < 0 || right > innerWidth);
    }).map((one) => one.outerHTML.slice(0, 80)));
    assert.deepEqual(cut, []);
    await accessible(page);
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.png` });
  });
}
