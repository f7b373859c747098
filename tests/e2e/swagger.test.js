import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from './support/browser.js';
import { Server } from './support/server.js';
import { Swagger } from './support/swagger.js';

let server, browser;
// Seats that outlast clicks on a slow machine.
before(async () => { [server, browser] = await Promise.all([Server.start(['--lease-ms', '600000']), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

test('a whole call can be clicked in Swagger UI with the examples of the document', async () => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  const elsewhere = [];
  page.on('request', (request) => { if (new URL(request.url()).origin !== server.base && !request.url().startsWith('data:')) elsewhere.push(request.url()); });
  const complaints = [];
  page.on('console', (message) => { if (/policy/i.test(message.text())) complaints.push(message.text()); });
  const swagger = await Swagger.open(page, server.base);

  const ann = await swagger.execute('joinRoom');
  assert.equal(ann.status, 201);
  assert.equal(ann.body.created, true);
  const ben = await swagger.execute('joinRoom');
  assert.equal(ben.body.created, false);
  assert.match(await swagger.shown('joinRoom'), new RegExp(ben.body.token));
  const full = await swagger.execute('joinRoom');
  assert.deepEqual([full.status, full.body.type], [409, '/problems/room-full']);

  await swagger.authorize(ben.body.token);
  const offered = await swagger.execute('postMessage', { params: { peer: ann.body.peer.id }, example: 'offer' });
  assert.deepEqual([offered.status, offered.body], [202, { seq: 2 }]);

  await swagger.authorize(ann.body.token);
  const first = await swagger.execute('pollMessages', { params: { peer: ann.body.peer.id, after: '0' } });
  assert.deepEqual(first.body.messages.map(({ type }) => type), ['peer-joined', 'offer']);
  const answered = await swagger.execute('postMessage', { params: { peer: ben.body.peer.id }, example: 'answer' });
  assert.equal(answered.status, 202);
  for (const example of ['candidate', 'end-of-candidates']) {
    assert.equal((await swagger.execute('postMessage', { params: { peer: ben.body.peer.id }, example })).status, 202);
  }

  await swagger.authorize(ben.body.token);
  const second = await swagger.execute('pollMessages', { params: { peer: ben.body.peer.id, after: '0' } });
  assert.deepEqual(second.body.messages.map(({ type, candidate }) => candidate === null ? 'end' : type), ['answer', 'candidate', 'end']);
  // The long poll: no more messages arrive, so it is held for the time in the document's example.
  const started = Date.now();
  const third = await swagger.execute('pollMessages', { params: { peer: ben.body.peer.id, after: '3' } });
  assert.deepEqual(third.body, { messages: [], cursor: 3 });
  assert.ok(Date.now() - started > 4000, 'it was not held');

  assert.equal((await swagger.execute('leaveRoom', { params: { peer: ben.body.peer.id } })).status, 204);
  await swagger.authorize(ann.body.token);
  const last = await swagger.execute('pollMessages', { params: { peer: ann.body.peer.id, after: '2' } });
  assert.deepEqual(last.body.messages, [{ seq: 3, type: 'peer-left', peer: ben.body.peer.id, reason: 'left' }]);
  assert.deepEqual(elsewhere, [], 'something was asked of another server');
  assert.deepEqual(complaints, [], 'it does what its policy forbids');
  if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/swagger.png` });
});

// Regression: the next person to use the browser had the token, and with it the seat.
test('Swagger UI keeps no token, and is not framed', async () => {
  const page = await browser.newPage();
  const swagger = await Swagger.open(page, server.base);
  const { body: { token } } = await swagger.execute('joinRoom');
  await swagger.authorize(token);
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  assert.ok(!kept.includes(token), kept);
  await page.reload();
  await page.locator('.auth-wrapper .authorize.unlocked').first().waitFor();
  await page.goto(`${server.base}/healthz`);
  const frame = await page.evaluate((address) => new Promise((resolve) => {
    const frame = Object.assign(document.createElement('iframe'), { src: address });
    frame.onload = () => { try { resolve(frame.contentDocument?.title ?? 'blocked'); } catch { resolve('blocked'); } };
    document.body.append(frame);
  }), `${server.base}/swagger-ui/`);
  assert.equal(frame, 'blocked');
  await page.close();
});
