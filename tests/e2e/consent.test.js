import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { enter, idOf, launch, state, visit } from './support/browser.js';
import { glance } from './support/glance.js';
import { Server } from './support/server.js';
import { Way } from './support/way.js';

// Any site that sent a former caller to `/?room=trap&name=x` had picture and sound after 1.5 s: the page joined by its address,
// and the permission was still there.

let server, browser, elsewhere, site;
before(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  // Another site, with a page that does as its hash says.
  elsewhere = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end(
    '<body><script>new Function(decodeURIComponent(location.hash.slice(1)))()</script>'));
  elsewhere.listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  site = (script) => `http://localhost:${elsewhere.address().port}/#${encodeURIComponent(script)}`;
});
after(async () => { await browser.close(); elsewhere.close(); await server.stop(); });

/** For `addInitScript`: counts what asks for a camera, and what asks the API. */
function count() {
  window.captures = 0;
  const { getUserMedia, getDisplayMedia } = MediaDevices.prototype;
  MediaDevices.prototype.getUserMedia = function open(...wanted) { window.captures += 1; return getUserMedia.apply(this, wanted); };
  MediaDevices.prototype.getDisplayMedia = function open(...wanted) { window.captures += 1; return getDisplayMedia.apply(this, wanted); };
}

const occupied = async (room) => (await new Way(server.base).ask(`/v1/rooms/${room}`)).body.occupancy ?? 0;

async function open() {
  const context = await browser.newContext();
  await context.addInitScript(count);
  return context.newPage();
}

/** The page shows the form, and nothing else has happened, nor does it happen a little later. */
async function untouched(page, room) {
  await state(page, 'lobby');
  // The button can be pressed half a second after the page is in view: whatever would start by itself has started by then.
  await page.locator('[data-testid=join]:enabled').waitFor();
  assert.equal(await page.evaluate(() => window.captures), 0, 'a camera was opened');
  assert.equal(await page.getByTestId('local-video').isVisible(), false);
  assert.equal(await occupied(room), 0, 'a seat was taken');
}

test('a link fills the form and does nothing else, and a click joins', async () => {
  const page = await open();
  for (const rest of ['', '&media=both', '&media=video&capacity=8', '&media=none#secret=lumps', '&media=both#key=abc', '&join=1&autojoin#join']) {
    await page.goto('about:blank');
    await page.goto(`${server.base}/?room=trap&name=Ann${rest}`);
    await untouched(page, 'trap');
    assert.deepEqual([await page.getByTestId('room').inputValue(), await page.getByTestId('name').inputValue()], ['trap', 'Ann']);
  }
  if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/filled.png` });
  await page.goto(`${server.base}/?room=trap&name=Ann`);
  await page.getByTestId('join').click();
  await state(page, 'waiting');
  assert.deepEqual([await page.evaluate(() => window.captures), await occupied('trap')], [1, 1]);
  await page.context().close();
});

test('a script that submits the form joins nothing', async () => {
  const page = await open();
  // What a test evaluates counts as the user's own; what runs by itself does not.
  await page.addInitScript(() => addEventListener('load', () => {
    const join = document.querySelector('#join');
    const submit = () => {
      if (join.disabled) return;
      join.form.requestSubmit();
      join.click();
      join.form.dispatchEvent(new Event('submit', { cancelable: true }));
      console.log(`submitted ${navigator.userActivation.isActive}`);
    };
    new MutationObserver(submit).observe(join, { attributes: true });
  }));
  const submitted = page.waitForEvent('console', (message) => message.text().startsWith('submitted'));
  await page.goto(`${server.base}/?room=scripted&name=Ann`);
  assert.equal((await submitted).text(), 'submitted false');
  await untouched(page, 'scripted');
  await page.context().close();
});

test('a key that was pressed for the page before, or is still held down, does not join', async () => {
  const page = await open();
  await page.goto(`${server.base}/?room=held&name=Ann`);
  await page.locator('[data-testid=join]:enabled').waitFor();
  await page.getByTestId('name').focus();
  const session = await page.context().newCDPSession(page);
  const key = { key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13, text: '\r', autoRepeat: true };
  await session.send('Input.dispatchKeyEvent', { type: 'keyDown', ...key });
  await session.send('Input.dispatchKeyEvent', { type: 'keyUp', ...key });
  await untouched(page, 'held');
  await page.keyboard.press('Enter');
  await state(page, 'waiting');
  await page.context().close();
});

test('a reload of the page that was in the call goes back without a click, to the same seat', async () => {
  const page = await open();
  await enter(page, `${server.base}/?room=reload&name=Ann&media=both`);
  await state(page, 'waiting');
  const id = await idOf(page);
  for (let times = 0; times < 3; times += 1) {
    await page.reload();
    await state(page, 'waiting');
    assert.equal(await idOf(page), id);
    assert.equal(await page.evaluate(() => window.captures), 1);
  }
  // After hanging up there is nothing to go back to.
  await page.getByTestId('hang-up').click();
  await state(page, 'lobby');
  await page.goto(`${server.base}/?room=reload&name=Ann`);
  await page.reload();
  await untouched(page, 'reload');
  await page.context().close();
});

/** Each row: how the page of a call is come back to by something else than its reload. */
const returns = {
  'another site leads to the same address': async (page, link) => {
    await page.goto(site(`setTimeout(() => location.replace(${JSON.stringify(link)}))`));
    await page.waitForURL(link);
  },
  'another site leads there, and the form is then reloaded': async (page, link) => {
    await page.goto(site(`setTimeout(() => location.replace(${JSON.stringify(link)}))`));
    await page.waitForURL(link);
    await state(page, 'lobby');
    await page.reload();
  },
  'another site goes back in the history': async (page, link) => {
    await page.goto(site('setTimeout(() => history.back(), 500)'));
    await page.waitForURL(link);
  },
  'the user goes back': async (page) => {
    await page.goto('about:blank');
    await page.goBack();
  },
  'the address is opened again': (page, link) => page.goto(link),
};

for (const [how, comeBack] of Object.entries(returns)) {
  test(`where ${how}, the form is there, and a click is needed`, async () => {
    const room = `back-${Object.keys(returns).indexOf(how)}`;
    const page = await open();
    await enter(page, `${server.base}/?room=${room}&name=Ann&media=both`);
    await state(page, 'waiting');
    const link = page.url();
    await comeBack(page, link);
    await page.waitForLoadState();
    await state(page, 'lobby');
    await page.locator('[data-testid=join]:enabled').waitFor();
    assert.equal(await page.evaluate(() => window.signalpost?.room.state), undefined);
    assert.equal(await page.getByTestId('local-video').isVisible(), false);
    assert.equal(await page.evaluate(() => document.querySelector('#self-video').srcObject), null);
    assert.equal(await page.getByTestId('room').inputValue(), room);
    // The seat that the page had frees, and no other is taken.
    while (await occupied(room) > 0) await glance();
    await page.context().close();
  });
}

// Chromium keeps no pages in this cache under the tests' flags, so the events are made up.
test('a page that comes back from the browser’s cache shows the form, and takes no seat', async () => {
  const page = await open();
  await enter(page, `${server.base}/?room=cached&name=Ann&media=both`);
  await state(page, 'waiting');
  const joins = [];
  page.on('request', (request) => { if (request.url().endsWith('/peers')) joins.push(request.url()); });
  await page.evaluate(() => {
    for (const type of ['pagehide', 'pageshow']) dispatchEvent(new PageTransitionEvent(type, { persisted: true }));
  });
  await state(page, 'lobby');
  assert.equal(await page.getByTestId('room').inputValue(), 'cached');
  assert.equal(await page.evaluate(() => document.querySelector('#self-video').srcObject), null);
  assert.equal(new URL(page.url()).searchParams.get('room'), 'cached');
  while (await occupied('cached') > 0) await glance();
  assert.deepEqual(joins, []);
  await page.reload();
  await untouched(page, 'cached');
  await page.context().close();
});

test('a window or a frame that another site opens shows the form, or nothing, and the site cannot steer it', async () => {
  const page = await open();
  const link = `${server.base}/?room=opened&name=Ann`;
  const popup = page.context().waitForEvent('page');
  await page.goto(site(`window.opened = open(${JSON.stringify(link)})`));
  const opened = await popup;
  await untouched(opened, 'opened');
  assert.equal(await opened.evaluate(() => window.opener), null);
  assert.equal(await page.evaluate(() => window.opened.closed), true, 'the site still has the window');
  await page.goto(site(`document.body.append(Object.assign(document.createElement('iframe'), { src: ${JSON.stringify(link)}, allow: 'camera; microphone' }))`));
  await page.waitForLoadState();
  const [, frame] = page.frames();
  assert.ok(!frame || !(await frame.content()).includes('data-testid="join"'), 'it can be framed');
  assert.equal(await occupied('opened'), 0);
  await page.context().close();
});

test('a duplicate of the tab shows the form', async () => {
  const ann = await visit(browser, server.base, { room: 'twin', name: 'Ann', media: 'none' });
  await state(ann, 'waiting');
  const kept = await ann.evaluate(() => JSON.stringify({ ...sessionStorage }));
  const twin = await ann.context().newPage();
  await twin.addInitScript((copy) => Object.assign(sessionStorage, JSON.parse(copy)), kept);
  await twin.goto(ann.url());
  await state(twin, 'lobby');
  assert.equal(await ann.evaluate(() => window.signalpost.room.state), 'connected');
  await ann.context().close();
});

test('the network test takes no seats before a click', async () => {
  const page = await open();
  const asked = [];
  page.on('request', (request) => { if (request.url().includes('/v1/')) asked.push(request.url()); });
  await page.goto(`${server.base}/network-test`);
  await state(page, 'ready');
  await page.reload();
  await state(page, 'ready');
  assert.deepEqual(asked, []);
  const seat = page.waitForRequest((request) => request.url().endsWith('/peers'));
  await page.getByTestId('start').click();
  await seat;
  await page.context().close();
});
