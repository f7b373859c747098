import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { accessible } from './support/axe.js';
import { enter, heard, launch, say, state, videoRuns, visit } from './support/browser.js';
import { Server } from './support/server.js';

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(['--leave-grace-ms', '15000']), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

const close = (...pages) => Promise.all(pages.map((page) => page.context().close()));

test('the page works by keyboard alone, from the lobby to a chat line', async () => {
  const ben = await visit(browser, server.base, { room: 'keys', name: 'Ben', media: 'none' });
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(server.base);
  await state(page, 'lobby');
  await accessible(page);
  const focused = () => page.evaluate(() => document.activeElement?.dataset.testid ?? document.activeElement?.id);
  const tabTo = async (id) => {
    for (let presses = 0; presses < 20 && await focused() !== id; presses += 1) await page.keyboard.press('Tab');
    assert.equal(await focused(), id);
  };
  await tabTo('name');
  await page.keyboard.type('Ann');
  await tabTo('room');
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.type('keys');
  await page.keyboard.press('Enter');
  await Promise.all([state(page, 'connected'), state(ben, 'connected')]);
  await tabTo('chat-input');
  await page.keyboard.type('typed');
  await page.keyboard.press('Enter');
  await heard(ben, 'typed');
  await close(page, ben);
});

test('a visitor without a camera still joins, is told so, sees the other and can chat', async () => {
  const bare = await launch({ camera: false });
  const ann = await visit(browser, server.base, { room: 'bare', name: 'Ann' });
  const ben = await visit(bare, server.base, { room: 'bare', name: 'Ben' });
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  assert.match(await ben.getByTestId('notice').textContent(), /camera|microphone/i);
  await say(ben, 'I see you');
  await heard(ann, 'I see you');
  await videoRuns(ben);
  await close(ann, ben);
  await bare.close();
});

test('at phone width nothing is cut off, in light and in dark', async () => {
  for (const colorScheme of ['light', 'dark']) {
    const phone = { viewport: { width: 360, height: 740 }, colorScheme, isMobile: true, hasTouch: true };
    const ann = await visit(browser, server.base, { room: `phone-${colorScheme}`, name: 'Ann', ...phone });
    const ben = await visit(browser, server.base, { room: `phone-${colorScheme}`, name: 'Ben', ...phone });
    await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
    const cut = await ann.evaluate(() => [...document.querySelectorAll('#call *')].filter((element) => {
      const { left, right, width } = element.getBoundingClientRect();
      return width > 0 && (left < -1 || right > innerWidth + 1) && !element.closest('.scroll');
    }).map((element) => element.outerHTML.slice(0, 80)));
    assert.deepEqual(cut, []);
    const background = await ann.evaluate(() => getComputedStyle(document.documentElement).backgroundColor + getComputedStyle(document.body).backgroundColor);
    const light = Math.max(...background.match(/\d+(\.\d+)?/g).slice(0, 3).map(Number));
    assert.ok(colorScheme === 'dark' ? light < 80 || background.includes('0, 0, 0, 0') : light > 200 || background.includes('0, 0, 0, 0'), background);
    await close(ann, ben);
  }
});

test('the link can be copied, and is there as a QR code', async () => {
  const ann = await visit(browser, server.base, { room: 'link', name: 'Ann', media: 'none' });
  await state(ann, 'waiting');
  await ann.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await ann.getByTestId('copy-link').click();
  await ann.waitForFunction(() => navigator.clipboard.readText());
  const copied = await ann.evaluate(() => navigator.clipboard.readText());
  assert.equal(new URL(copied).searchParams.get('room'), 'link');
  assert.equal(new URL(copied).searchParams.get('name'), null, 'the link would give the guest our name');
  await ann.getByTestId('show-qr').click();
  assert.equal(await ann.getByTestId('qr-link').textContent(), copied);
  await ann.waitForFunction(() => {
    const canvas = document.querySelector('#code');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const dark = data.filter((value, index) => index % 4 === 3 && value > 0 && data[index - 1] < 128).length / (data.length / 4);
    return dark > 0.2 && dark < 0.7;
  });
  await close(ann);
});

test('the list of signaling messages shows what passes', async () => {
  const ann = await visit(browser, server.base, { room: 'wire', name: 'Ann' });
  const ben = await visit(browser, server.base, { room: 'wire', name: 'Ben' });
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await ben.getByTestId('diagnostics').locator('> summary').click();
  const entries = ben.getByTestId('wire-entry');
  const types = (await entries.locator('b').allTextContents()).map((text) => text.trim());
  for (const type of ['offer', 'answer', 'candidate']) assert.ok(types.includes(type), `${type} is not in ${types}`);
  const offer = entries.filter({ hasText: 'offer' }).first();
  await offer.locator('summary').click();
  assert.match(await offer.locator('pre').textContent(), /v=0/);
  await close(ann, ben);
});

test('a room with a secret asks for it, and admits users who have it', async () => {
  const context = await browser.newContext();
  const ann = await context.newPage();
  await enter(ann, `${server.base}/?room=hidden&name=Ann&media=none#secret=two+lumps`);
  await state(ann, 'waiting');
  const ben = await visit(browser, server.base, { room: 'hidden', name: 'Ben', media: 'none' });
  await state(ben, 'error');
  assert.match(await ben.getByTestId('lobby-status').textContent(), /secret/);
  await ben.getByTestId('secret').fill('two lumps');
  await ben.getByTestId('join').click();
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await close(ann, ben);
});

test('a full room counts down to when a quiet seat frees', async () => {
  const ann = await visit(browser, server.base, { room: 'quiet', name: 'Ann', media: 'none' });
  const ben = await visit(browser, server.base, { room: 'quiet', name: 'Ben', media: 'none' });
  // Cleo's page is open before Ben is gone: his seat could be free before it has read that.
  const cleo = await (await browser.newContext()).newPage();
  await cleo.goto(`${server.base}/?room=quiet&name=Cleo&media=none`);
  await cleo.waitForSelector('body[data-loaded=true]');
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  // Recorded by the page itself: on a busy machine a look from here may come too late.
  await cleo.evaluate(() => {
    window.counted = [];
    const look = () => {
      const seconds = document.querySelector('[data-testid=status]')?.textContent.match(/free in (\d+) s/)?.[1];
      if (seconds !== undefined && window.counted.at(-1) !== Number(seconds)) window.counted.push(Number(seconds));
    };
    new MutationObserver(look).observe(document.body, { childList: true, characterData: true, subtree: true });
  });
  await ben.goto('about:blank');
  await cleo.getByTestId('join').click();
  await Promise.all([state(cleo, 'connected'), state(ann, 'connected')]);
  const counted = await cleo.evaluate(() => window.counted);
  assert.ok(counted[0] >= 1 && counted[0] <= 15 && counted.length > 1 && counted.at(-1) < counted[0], `seconds: ${counted}`);
  await close(ann, ben, cleo);
});

test('nothing is ever asked of another server, and the policy of the page is not violated', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const foreign = [];
  const complaints = [];
  page.on('request', (request) => { if (!request.url().startsWith(server.base) && !request.url().startsWith('blob:') && !request.url().startsWith('data:')) foreign.push(request.url()); });
  page.on('console', (message) => { if (/policy/i.test(message.text())) complaints.push(message.text()); });
  await enter(page, `${server.base}/?room=policy&name=Ann`);
  const ben = await visit(browser, server.base, { room: 'policy', name: 'Ben' });
  await Promise.all([state(page, 'connected'), state(ben, 'connected')]);
  await page.getByTestId('show-qr').click();
  assert.deepEqual([foreign, complaints], [[], []]);
  await close(page, ben);
});
