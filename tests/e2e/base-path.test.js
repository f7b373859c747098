import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { heard, launch, say, state, videoRuns, visit } from './support/browser.js';
import { AT_PATH } from './support/catalogue.js';
import { Proxy } from './support/proxies.js';
import { Server } from './support/server.js';
import { Swagger } from './support/swagger.js';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

/** Records a page's requests, to check that all are below the path. */
function watch(page, base) {
  const beside = [];
  page.on('request', (request) => { if (!request.url().startsWith(`${base}/`) && !/^(data|blob):/.test(request.url())) beside.push(request.url()); });
  page.on('response', (response) => { if (response.status() === 404) beside.push(`404 ${response.url()}`); });
  return beside;
}

// Regression: the API worked under a path, but the page and Swagger UI requested everything at the root.
for (const [how, { recipe, flags }] of Object.entries(AT_PATH)) {
  test(`behind nginx under a path that is ${how}, a call connects and survives a reload, and links lead there`, async () => {
    const server = await Server.start(['--trusted-proxy', '127.0.0.1', ...flags]);
    const proxy = await Proxy.start(recipe, new URL(server.base).host);
    const base = `${proxy.base}/signal`;
    const options = { ignoreHTTPSErrors: true };
    const ann = await visit(browser, base, { room: 'tea', name: 'Ann', ...options });
    const beside = watch(ann, base);
    await state(ann, 'waiting');
    await ann.getByTestId('show-qr').click();
    const link = await ann.getByTestId('qr-link').getAttribute('href');
    assert.equal(link, `${base}/?room=tea`);
    await ann.keyboard.press('Escape');
    const ben = await visit(browser, base, { room: new URL(link).searchParams.get('room'), name: 'Ben', ...options });
    await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
    await Promise.all([videoRuns(ann), videoRuns(ben)]);
    await say(ann, 'under a path');
    await heard(ben, 'under a path');
    // State kept for a reload belongs to this path: another server on the same origin has its own.
    const keys = await ann.evaluate(() => Object.keys(sessionStorage));
    assert.ok(keys.length >= 2 && keys.every((key) => key.includes('/signal/')), `${keys}`);
    await ann.reload();
    await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
    await ann.getByTestId('hang-up').click();
    await state(ann, 'lobby');
    assert.equal(ann.url(), `${base}/`);

    await ann.getByTestId('network-test').click();
    const asked = ann.waitForResponse((response) => response.url() === `${base}/openapi.json` || response.url().startsWith(`${base}/v1/rooms/network-test-`));
    await ann.getByTestId('start').click();
    await asked;
    await ann.getByTestId('stop').click();
    await ann.getByRole('link', { name: 'To the lobby' }).click();
    await state(ann, 'lobby');
    assert.deepEqual(beside, []);
    // Without the trailing slash.
    await ann.goto(base);
    await state(ann, 'lobby');
    for (const page of [ann, ben]) await page.context().close();
    await proxy.stop();
    await server.stop();
  });

  test(`behind nginx under a path that is ${how}, Swagger UI reads the document and asks the right server`, async () => {
    const server = await Server.start(['--trusted-proxy', '127.0.0.1', ...flags]);
    const proxy = await Proxy.start(recipe, new URL(server.base).host);
    const base = `${proxy.base}/signal`;
    const page = await (await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 1000 } })).newPage();
    const beside = watch(page, base);
    const swagger = await Swagger.open(page, base);
    const ann = await swagger.execute('joinRoom');
    assert.equal(ann.status, 201);
    await swagger.authorize(ann.body.token);
    const polled = await swagger.execute('pollMessages', { params: { peer: ann.body.peer.id, after: '0' } });
    assert.deepEqual([polled.status, polled.body.messages], [200, []]);
    assert.deepEqual(beside, []);
    await page.context().close();
    await proxy.stop();
    await server.stop();
  });
}
