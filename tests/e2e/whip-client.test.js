import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch, state, videoRuns, visit } from './support/browser.js';
import { redirecting } from './support/redirecting.js';
import { Server } from './support/server.js';
import { Shell } from './support/shell.js';
import { isAudible, noUpnp, runsForAMinute, whipClient } from './support/whip.js';

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(['--room-capacity', '4']), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

const client = async (t, base, room, ...options) => Shell.start(t, [whipClient(base, room), ...options].join(' '), { env: await noUpnp() });

for (const [name, options] of Object.entries({ 'candidates by PATCH': [], 'all candidates in the offer': ['-n'] })) {
  test(`simple-whip-client, ${name}: a picture for a minute, and sound`, async (t) => {
    const room = `gst-${options.length}`;
    const page = await visit(browser, server.base, { room, name: 'Ann' });
    t.after(() => page.context().close());
    await state(page, 'waiting');
    const encoder = await client(t, server.base, room, ...options);
    await encoder.whileItRuns(async () => {
      await state(page, 'connected');
      await videoRuns(page);
      await isAudible(page);
      await runsForAMinute(page);
    });
    encoder.end('SIGINT');
    await page.getByTestId('remote-tile').waitFor({ state: 'detached' });
  });
}

// RFC 9725, section 4.5. This client looks for its session where it was told to call, so it is redirected there, too.
test('simple-whip-client is redirected, with candidates and at the end as well', async (t) => {
  const page = await visit(browser, server.base, { room: 'redirected', name: 'Ann' });
  t.after(() => page.context().close());
  await state(page, 'waiting');
  const proxy = await redirecting(t, server.base);
  const encoder = await client(t, proxy.base, 'redirected');
  await state(page, 'connected');
  await videoRuns(page, 1);
  encoder.end('SIGINT');
  await page.getByTestId('remote-tile').waitFor({ state: 'detached' });
  assert.deepEqual([...new Set(proxy.methods)], ['POST', 'PATCH', 'DELETE'], encoder.log);
});
