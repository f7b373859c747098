import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';

import { join } from '../../web/client/index.js';
import { launch } from './support/browser.js';
import { Server } from './support/server.js';
import { listen, site } from './support/site.js';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

/** Forwards all requests to a server, and counts them. */
async function counting(upstream) {
  const counts = new Map();
  const { base, stop } = await listen((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const key = `${method} ${url}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    const asking = request(upstream + url, { method, headers }, (response) => {
      outgoing.writeHead(response.statusCode, response.rawHeaders);
      response.pipe(outgoing);
    });
    asking.on('error', () => outgoing.destroy());
    outgoing.on('close', () => asking.destroy());
    incoming.pipe(asking);
  });
  return { base, stop, of: (method) => [...counts].filter(([key]) => key.startsWith(`${method} `)) };
}

test('a page on another origin costs one preflight for each address, not one for each poll', async () => {
  const app = await site();
  const server = await Server.start(['--cors-origin', app.base]);
  const counted = await counting(server.base);
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.error(error.stack));
  await page.goto(app.base);
  await page.evaluate(async (base) => {
    const { join } = await import('/client/index.js');
    window.room = await join(base, 'tea', { name: 'Ann' });
    window.got = [];
    window.room.on('message', ({ from, data }) => {
      window.got.push(data);
      void window.room.send(from, { type: 'data', data });
    });
  }, counted.base);
  const ben = await join(server.base, 'tea', { name: 'Ben' });
  for (let number = 0; number < 20; number += 1) {
    const echoed = new Promise((resolve) => ben.on('message', ({ data }) => data === number && resolve()));
    await ben.send([...ben.peers.keys()][0], { type: 'data', data: number });
    await echoed;
  }
  assert.equal(await page.evaluate(() => window.got.length), 20);

  const polls = counted.of('GET').filter(([key]) => key.includes('/messages'));
  assert.equal(polls.length, 1, `the address of the poll changes: ${polls}`);
  assert.ok(polls[0][1] >= 20, `${polls[0][1]} polls`);
  const preflights = counted.of('OPTIONS');
  assert.ok(preflights.length >= 3, 'joining, polling and posting each need one');
  assert.deepEqual(preflights.filter(([, count]) => count > 1), []);

  await ben.leave();
  await page.close();
  for (const it of [counted, app, server]) await it.stop();
});

test('a page on an origin that is not listed gets nothing', async () => {
  const app = await site();
  const server = await Server.start(['--cors-origin', 'https://other.example']);
  const page = await browser.newPage();
  await page.goto(app.base);
  const outcome = await page.evaluate((base) => fetch(`${base}/v1/rooms/tea`).then(() => 'read', (error) => error.name), server.base);
  assert.equal(outcome, 'TypeError');
  await page.close();
  await app.stop();
  await server.stop();
});
