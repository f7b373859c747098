import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { PATIENCE_MS, launch, state, videoRuns, visit } from '../e2e/support/browser.js';
import { glance } from '../e2e/support/glance.js';
import { Server } from '../e2e/support/server.js';
import { endpoint, isAudible, runsForAMinute, whipClientSink } from '../e2e/support/whip.js';
import { Shell } from '../e2e/support/shell.js';

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(['--room-capacity', '4']), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

async function ann(t, room, options) {
  const page = await visit(browser, server.base, { room, name: 'Ann', ...options });
  t.after(() => page.context().close());
  await state(page, 'waiting');
  return page;
}

test('whipclientsink: a picture for a minute, and sound; it says goodbye, and comes back', async (t) => {
  const page = await ann(t, 'sink');
  const first = Shell.start(t, whipClientSink(server.base, 'sink'));
  await first.whileItRuns(async () => {
    await state(page, 'connected');
    await videoRuns(page);
    await isAudible(page);
    await runsForAMinute(page);
  });
  const ended = first.interrupt();
  await page.getByTestId('remote-tile').waitFor({ state: 'detached' });
  await ended;
  const second = Shell.start(t, whipClientSink(server.base, 'sink'));
  await second.whileItRuns(() => videoRuns(page));
});

test('whepclientsrc plays camera and microphone of the page', async (t) => {
  const page = await ann(t, 'source');
  const sinks = ['video', 'audio'].map((kind) => `w.${kind}_0 ! queue ! ${kind}convert ! identity name=${kind} silent=false ! fakesink sync=false`);
  const player = Shell.start(t, `gst-launch-1.0 -v whepclientsrc name=w signaller::whep-endpoint='${endpoint(server, 'source', '?name=GStreamer', 'whep')}' ${sinks.join(' ')}`);
  await player.whileItRuns(async () => {
    await state(page, 'connected');
    for (const kind of ['video', 'audio']) {
      const decoded = () => player.log.split(`${kind}: last-message = chain`).length > 30;
      for (const started = Date.now(); !decoded();) {
        assert.ok(Date.now() - started < PATIENCE_MS, `no ${kind}: ${player.log.slice(-2_000)}`);
        await glance();
      }
    }
  });
});
