import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { heard, launch, say, startTest, state, visit } from './support/browser.js';
import { CachingProxy } from './support/caching.js';
import { Server } from './support/server.js';

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(['--wait-max-ms', '3000']), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

// Regression: the server got 250 polls a second, and the call never connected.
test('a call connects even through a cache that stores responses to polls', async () => {
  const proxy = await CachingProxy.start(server.base);
  const ann = await visit(browser, proxy.base, { room: 'cache', name: 'Ann', media: 'none' });
  await state(ann, 'waiting');
  const ben = await visit(browser, server.base, { room: 'cache', name: 'Ben', media: 'none' });
  await Promise.all([ann, ben].map((page) => state(page, 'connected')));
  await say(ann, 'hello');
  await heard(ben, 'hello');
  assert.ok(proxy.repeated < 10, `it repeated ${proxy.repeated} answers`);
  await Promise.all([ann, ben].map((page) => page.context().close()));
  proxy.stop();
});

test('where one cannot be got around, the page says that it is not connected', async () => {
  const proxy = await CachingProxy.start(server.base, { ignoresQuery: true });
  const ann = await visit(browser, proxy.base, { room: 'stubborn', name: 'Ann', media: 'none' });
  await state(ann, 'waiting');
  const ben = await visit(browser, server.base, { room: 'stubborn', name: 'Ben', media: 'none' });
  await state(ben, 'waiting', 'connecting', 'connected');
  await ann.waitForFunction(() => window.signalpost.room.state === 'reconnecting');
  await Promise.all([ann, ben].map((page) => page.context().close()));
  proxy.stop();
});

test('/network-test says that there is one', async () => {
  const proxy = await CachingProxy.start(server.base);
  const page = await browser.newPage();
  await startTest(page, proxy.base);
  const says = async () => {
    await state(page, 'done');
    return page.locator('[data-test=poll]').textContent();
  };
  // It only takes for a cache what answers within a second, which this proxy may not manage.
  for (let tries = 1; tries < 5 && /Signaling works/.test(await says()); tries += 1) await page.getByTestId('again').click();
  assert.match(await says(), /A cache, or a service worker of this page, repeats old responses/);
  await page.close();
  proxy.stop();
});
