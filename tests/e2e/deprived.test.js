import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';

import { ALONE, CAMERA, FLAGS, PATIENCE_MS, enter, executablePath, heard, launch, say, startTest, state, videoRuns, visit } from './support/browser.js';
import { Server } from './support/server.js';

// Browsers that lack a feature. Regressions: with all cookies blocked the page failed silently; without WebRTC it did, too, and
// its form sent the room's secret in the address.

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(['--wait-max-ms', '2000', '--host', 'signalpost.example']), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

const close = (...pages) => Promise.all(pages.map((page) => page.context().close()));

/** Chromium with "block all cookies", set in its preferences. */
async function refusing() {
  const profile = await mkdtemp(join(tmpdir(), 'signalpost-profile-'));
  await mkdir(join(profile, 'Default'));
  const preferences = { profile: { default_content_setting_values: { cookies: 2 } } };
  await writeFile(join(profile, 'Default', 'Preferences'), JSON.stringify(preferences));
  const context = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args: [...FLAGS, ALONE, ...CAMERA] });
  context.setDefaultTimeout(PATIENCE_MS);
  return { context, end: async () => { await context.close(); await rm(profile, { recursive: true }); } };
}

test('with all cookies refused the page makes a call, and the network test runs', async () => {
  const { context, end } = await refusing();
  const errors = [];
  const open = async () => {
    const page = await context.newPage();
    page.on('pageerror', (error) => errors.push(error.stack));
    return page;
  };
  const ann = await open();
  await enter(ann, `${server.base}/?room=refused&name=Ann`);
  const name = await ann.evaluate(() => { try { return typeof window.sessionStorage; } catch (error) { return error.name; } });
  assert.equal(name, 'SecurityError', 'storage is not blocked, so this shows nothing');
  const ben = await visit(browser, server.base, { room: 'refused', name: 'Ben' });
  await Promise.all([state(ann, 'connected'), state(ben, 'connected'), videoRuns(ben)]);
  await say(ann, 'from memory');
  await heard(ben, 'from memory');
  // The seat is kept as long as the page exists, so hanging up and joining again works.
  await ann.getByTestId('hang-up').click();
  await state(ann, 'lobby');
  await ann.getByTestId('room').fill('refused');
  await ann.getByTestId('join').click();
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await ann.reload();
  await state(ann, 'lobby');
  assert.equal(await ann.getByTestId('room').inputValue(), 'refused');
  const tester = await open();
  await startTest(tester, server.base);
  await state(tester, 'done');
  assert.match(await tester.getByTestId('verdict').textContent(), /^Calls work/);
  assert.deepEqual(errors, []);
  await ben.context().close();
  await end();
});

/** Each row: a defect of the storage, for `addInitScript`. */
const storages = {
  'is null': () => Object.defineProperty(window, 'sessionStorage', { get: () => null }),
  'is full': () => { Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError'); }; },
  'cannot be read': () => { Storage.prototype.getItem = () => { throw new DOMException('', 'SecurityError'); }; },
  'has no locks beside it': () => { LockManager.prototype.request = async () => { throw new DOMException('', 'SecurityError'); }; },
};

for (const [how, prepare] of Object.entries(storages)) {
  test(`a call works where the storage ${how}`, async () => {
    const context = await browser.newContext();
    const ann = await context.newPage();
    const errors = [];
    ann.on('pageerror', (error) => errors.push(error.stack));
    await ann.addInitScript(prepare);
    await enter(ann, `${server.base}/?room=storage&name=Ann&media=none`);
    const ben = await visit(browser, server.base, { room: 'storage', name: 'Ben', media: 'none' });
    await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
    await ann.getByTestId('hang-up').click();
    await state(ben, 'waiting');
    assert.deepEqual(errors, []);
    await close(ann, ben);
  });
}

// ---- WebRTC ------------------------------------------------------------------------------------------------------

const connections = {
  'is missing': () => { delete window.RTCPeerConnection; },
  'is null': () => { window.RTCPeerConnection = null; },
  'cannot be made': () => { window.RTCPeerConnection = () => {}; },
  'throws': () => { window.RTCPeerConnection = class { constructor() { throw new DOMException('', 'NotAllowedError'); } }; },
};

for (const [how, prepare] of Object.entries(connections)) {
  test(`where WebRTC ${how} the page says so, and the network test, too`, async () => {
    const context = await browser.newContext();
    const [page, tester] = [await context.newPage(), await context.newPage()];
    const errors = [];
    for (const one of [page, tester]) {
      one.on('pageerror', (error) => errors.push(error.stack));
      await one.addInitScript(prepare);
    }
    await page.goto(`${server.base}/?room=tea#secret=two+lumps`);
    const banner = page.getByTestId('lobby-status');
    assert.match(await banner.textContent(), /^Calls cannot be made in this browser: it has no WebRTC.*Lockdown Mode/);
    const before = page.url();
    await page.getByTestId('name').fill('Ann');
    await page.getByTestId('join').click();
    assert.equal(page.url(), before);
    assert.equal(await banner.isVisible(), true);
    await startTest(tester, server.base);
    await state(tester, 'done');
    assert.match(await tester.getByTestId('verdict').textContent(), /^Calls cannot be made in this browser: WebRTC is missing/);
    assert.match(await tester.locator('[data-test=webrtc]').textContent(), /Lockdown Mode/);
    assert.deepEqual(errors, []);
    await context.close();
  });
}

test('without a beacon, closing the tab still frees the seat at once', async () => {
  const context = await browser.newContext();
  const ann = await context.newPage();
  await ann.addInitScript(() => { delete Navigator.prototype.sendBeacon; });
  await enter(ann, `${server.base}/?room=beacon&name=Ann&media=none`);
  const ben = await visit(browser, server.base, { room: 'beacon', name: 'Ben', media: 'none' });
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  const left = ben.evaluate(() => new Promise((resolve) => window.signalpost.room.on('peer-left', ({ reason }) => resolve(reason))));
  await ann.close({ runBeforeUnload: true });
  assert.equal(await left, 'left');
  await close(ben);
  await context.close();
});

// ---- The form ----------------------------------------------------------------------------------------------------

/** Each row: files of the page that do not load. */
const blocked = ['**/app/main.js', '**/client/platform/storage.js', '**/app/**/*.js', '**/*.{js,mjs}'];

for (const pattern of blocked) {
  test(`without ${pattern} the form sends nothing anywhere`, async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.route(pattern, (route) => route.abort());
    await page.goto(`${server.base}/?room=tea`);
    const asked = [];
    page.on('request', (request) => asked.push(`${request.method()} ${request.url()}`));
    const before = page.url();
    await page.evaluate(() => { document.querySelector('#secret-field').hidden = false; });
    await page.getByTestId('secret').fill('two lumps');
    await page.getByTestId('room').fill('tea');
    await page.getByTestId('name').fill('Ann');
    await page.getByTestId('join').click();
    await page.getByTestId('secret').press('Enter');
    // A submission would have started by the next task.
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve)));
    // Some of the page's own files may not have been asked for earlier.
    const elsewhere = asked.filter((request) => !request.startsWith(`GET ${server.base}/`) || !/^[\w./-]*\/(app|client)\/[\w./-]+$/.test(request.slice(`GET ${server.base}`.length)));
    assert.deepEqual([page.url(), elsewhere], [before, []]);
    if (!pattern.includes('*.')) await page.getByTestId('not-loaded').waitFor();
    await context.close();
  });
}

test('the form sends nothing in a browser that knows no dialogs, where its method counts for GET', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.route('**/app/main.js', (route) => route.abort());
  await page.goto(server.base);
  const navigated = [];
  page.on('request', (request) => request.isNavigationRequest() && navigated.push(request.url()));
  await page.evaluate(() => {
    for (const form of document.forms) form.method = 'get';
    document.querySelector('#secret-field').hidden = false;
  });
  await page.getByTestId('secret').fill('two lumps');
  await page.getByTestId('join').click();
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve)));
  assert.deepEqual(navigated, []);
  await context.close();
});

test('on plain http outside localhost it says why there is no camera, and one can chat', async () => {
  // The machine may have no host name of its own. Browsers treat this one as insecure, unlike localhost.
  const plain = await launch({ flags: ['--host-resolver-rules=MAP signalpost.example 127.0.0.1'] });
  const base = server.base.replace('127.0.0.1', 'signalpost.example');
  const errors = [];
  const open = async (name) => {
    const page = await (await plain.newContext()).newPage();
    page.on('pageerror', (error) => errors.push(error.stack));
    await enter(page, `${base}/?room=plain&name=${name}`);
    return page;
  };
  const [ann, ben] = [await open('Ann'), await open('Ben')];
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  const gone = await ann.evaluate(() => [typeof navigator.mediaDevices, typeof navigator.locks, typeof crypto.randomUUID]);
  assert.deepEqual(gone, ['undefined', 'undefined', 'undefined']);
  assert.match(await ann.getByTestId('notice').textContent(), /only on https pages/);
  await say(ann, 'chat works');
  await heard(ben, 'chat works');
  assert.deepEqual(errors, []);
  await plain.close();
});

/** In a page: plays nothing before a click, as phones that save power do not even play what is muted. */
function saving() {
  let clicked = false;
  addEventListener('click', ({ target }) => { clicked ||= Boolean(target.closest('[data-part=sound]')); }, true);
  const { play } = HTMLMediaElement.prototype;
  HTMLMediaElement.prototype.play = function refused() {
    if (clicked) return play.call(this);
    this.pause();
    return Promise.reject(new DOMException('', 'NotAllowedError'));
  };
  Object.defineProperty(HTMLMediaElement.prototype, 'autoplay', { set() {}, get: () => false });
  new MutationObserver(() => document.querySelectorAll('video[autoplay]').forEach((video) => video.removeAttribute('autoplay'))).observe(document, { childList: true, subtree: true });
}

// Regression: the button gave sound to a picture that stood still, and then there was nothing left to press.
test('where nothing may play without a click, the button for sound starts the picture, too', async () => {
  const errors = [];
  const ben = await visit(browser, server.base, { room: 'saving', name: 'Ben', media: 'none', prepare: saving });
  ben.on('pageerror', (error) => errors.push(error.stack));
  await state(ben, 'waiting');
  const ann = await visit(browser, server.base, { room: 'saving', name: 'Ann' });
  await state(ann, 'connected');
  await ben.locator('[data-testid=remote-tile] [data-part=sound]').click();
  await ben.waitForFunction(() => { const video = document.querySelector('[data-testid=remote-video]'); return !video.paused && !video.muted && video.currentTime > 0; });
  assert.equal(await ben.locator('[data-testid=remote-tile] [data-part=sound]').isVisible(), false);
  assert.deepEqual(errors, []);
  await close(ann, ben);
});
