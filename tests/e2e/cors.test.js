import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { test } from 'node:test';

import { launch } from './support/browser.js';
import { Server } from './support/server.js';

/** Passes everything on, and keeps count of methods by path and query. */
async function counting(upstream) {
  const counts = new Map();
  const server = createServer((asked, answer) => {
    const key = `${asked.method} ${asked.url}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    const { hostname, port } = new URL(upstream);
    const passed = request({ hostname, port, method: asked.method, path: asked.url, headers: asked.headers }, (response) => {
      answer.writeHead(response.statusCode, response.headers);
      response.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    asked.pipe(passed);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { counts, base: `http://127.0.0.1:${server.address().port}`, close: () => { server.closeAllConnections(); server.close(); } };
}

test('a page of another origin costs one preflight for each URL, not one for each poll', async () => {
  const pages = await Server.start();
  const signaling = await Server.start(['--cors-origin', pages.base]);
  const wire = await counting(signaling.base);
  const browser = await launch();
  const page = await browser.newPage();
  // The page's own policy lets it talk to its own server only; an app's page has a policy of its own.
  await page.route(`${pages.base}/`, async (route) => {
    const response = await route.fetch();
    const { 'content-security-policy': _, ...headers } = response.headers();
    await route.fulfill({ response, headers });
  });
  await page.goto(pages.base);
  await page.evaluate(async (base) => {
    const { join } = await import('/client/index.js');
    const room = await join(base, 'tea', { name: 'Ann' });
    for (let number = 0; number < 20; number += 1) {
      const back = new Promise((resolve) => { const off = room.on('message', ({ data }) => { off(); resolve(data); }); });
      await room.send(room.self.id, { type: 'data', data: number });
      if (await back !== number) throw new Error('out of order');
    }
  }, wire.base);
  const of = (method, part) => [...wire.counts].filter(([key]) => key.startsWith(method) && key.includes(part));
  const polls = of('GET', '/messages?');
  assert.ok(polls.reduce((sum, [, count]) => sum + count, 0) >= 20, 'there were few polls');
  for (const [key, count] of of('OPTIONS', '/v1/')) assert.equal(count, 1, `${count} preflights for ${key}`);
  assert.equal(of('OPTIONS', '/messages?').length, new Set(polls.map(([key]) => key)).size);
  console.log(`${polls.map(([, count]) => count)} polls, ${of('OPTIONS', '/v1/').length} preflights in all`);
  await browser.close();
  wire.close();
  await Promise.all([signaling.stop(), pages.stop()]);
});
