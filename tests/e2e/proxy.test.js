import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { after, before, test } from 'node:test';

import { heard, launch, say, state, videoRuns, visit } from './support/browser.js';
import { STRICT } from './support/catalogue.js';
import { Proxy } from './support/proxies.js';
import { Server } from './support/server.js';

let server, proxy, browser;
before(async () => {
  server = await Server.start();
  [proxy, browser] = await Promise.all([Proxy.start(STRICT, new URL(server.base).host), launch()]);
});
after(async () => {
  await browser.close();
  await proxy.stop();
  await server.stop();
});

test('the proxy does answer every Upgrade with 403', async () => {
  const asking = request(`${proxy.base}/v1/rooms/tea`, {
    headers: { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' },
  }).end();
  const [response] = await once(asking, 'response');
  assert.equal(response.statusCode, 403);
  response.resume();
});

test('behind it a call connects, and comes back after a refresh', async () => {
  const ann = await visit(browser, proxy.base, { room: 'tea', name: 'Ann' });
  const ben = await visit(browser, proxy.base, { room: 'tea', name: 'Ben' });
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  const blocked = await ann.evaluate(() => new Promise((resolve) => {
    const socket = new WebSocket(`ws://${location.host}/`);
    socket.onopen = () => resolve('open');
    socket.onclose = ({ code }) => resolve(code);
  }));
  assert.equal(blocked, 1006);
  await Promise.all([videoRuns(ann, 30), videoRuns(ben, 30)]);
  await say(ann, 'through the wall');
  await heard(ben, 'through the wall');
  await ben.reload();
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await videoRuns(ben);
  await Promise.all([ann, ben].map((page) => page.context().close()));
});
