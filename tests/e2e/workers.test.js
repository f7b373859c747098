import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { join } from '../../web/client/index.js';
import { launch } from './support/browser.js';
import { Server } from './support/server.js';
import { site } from './support/site.js';

let browser, app, server;
before(async () => {
  app = await site({ '/worker.js': await readFile(new URL('support/worker.js', import.meta.url)) });
  server = await Server.start(['--cors-origin', app.base]);
  browser = await launch({ camera: false });
});
after(() => Promise.all([browser.close(), app.stop(), server.stop()]));

/** How a page starts each kind of worker, and where it sends messages to it. */
const KINDS = {
  dedicated: () => new Worker('/worker.js', { type: 'module' }),
  shared: () => new SharedWorker('/worker.js', { type: 'module' }).port,
  async service() {
    await navigator.serviceWorker.register('/worker.js', { type: 'module' });
    return (await navigator.serviceWorker.ready).active;
  },
};

for (const [kind, begin] of Object.entries(KINDS)) {
  test(`a ${kind} worker joins, answers twenty messages in order, and leaves`, async () => {
    const ben = await join(server.base, kind, { name: 'Ben' });
    const heard = [];
    let more = () => {};
    for (const event of ['peer-joined', 'message', 'peer-left']) ben.on(event, (detail) => { heard.push([event, detail]); more(); });
    const next = async (event) => {
      while (!heard.length) await new Promise((resolve) => { more = resolve; });
      const [name, detail] = heard.shift();
      assert.equal(name, event, JSON.stringify(detail));
      return detail;
    };

    const context = await browser.newContext();
    const page = await context.newPage();
    page.on('pageerror', (error) => console.error(error.stack));
    await page.goto(app.base);
    const target = await page.evaluateHandle(begin);
    await target.evaluate((worker, [base, room]) => {
      const { port1, port2 } = new MessageChannel();
      window.said = [];
      port1.onmessage = ({ data }) => window.said.push(data);
      worker.postMessage({ base, room }, [port2]);
    }, [server.base, kind]);

    const { id } = await next('peer-joined');
    for (let number = 0; number < 20; number += 1) void ben.send(id, { type: 'data', data: number });
    for (let number = 0; number < 20; number += 1) assert.deepEqual((await next('message')).data, { echo: number });
    // A request on a connection that may be gone is sent again: the worker hears `online` as a page does.
    await ben.send(id, { type: 'data', data: 'online' });
    assert.deepEqual((await next('message')).data, { repeated: true });
    await ben.send(id, { type: 'data', data: 'leave' });
    assert.equal((await next('peer-left')).reason, 'left');
    await page.waitForFunction(() => window.said.at(-1) === 'closed');
    assert.deepEqual(await page.evaluate(() => window.said), ['webrtc-missing', 'closed']);
    await ben.leave();
    await context.close();
  });
}
