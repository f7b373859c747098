import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { accessible } from './support/axe.js';
import { launch, state, videoRuns, visit } from './support/browser.js';
import { Server } from './support/server.js';
import { Shell } from './support/shell.js';
import { encoder, endpoint, isAudible, noUpnp, runsForAMinute, whipClient } from './support/whip.js';

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(['--room-capacity', '4']), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

async function waiting(t, room) {
  const page = await visit(browser, server.base, { room, name: 'Ann' });
  t.after(() => page.context().close());
  await state(page, 'waiting');
  return page;
}

describe('a picture for a minute, and sound', { concurrency: true }, () => {
  test('OBS, as far as libdatachannel is: the chat knows nothing of it', async (t) => {
    const page = await waiting(t, 'obs');
    const obs = await encoder(t, endpoint(server, 'obs', '?name=OBS'));
    await obs.next('answer', { status: 201 });
    await state(page, 'connected');
    await videoRuns(page);
    await isAudible(page);
    assert.deepEqual(await page.evaluate(() => { const { videoWidth, videoHeight } = document.querySelector('[data-testid=remote-video]'); return [videoWidth, videoHeight]; }), [320, 180]);
    assert.match(await page.getByTestId('remote-tile').locator('figcaption').textContent(), /OBS – encoder/);
    assert.equal(await page.getByTestId('chat-input').isDisabled(), true);
    assert.equal(await page.getByTestId('chat-entry').filter({ hasText: 'OBS' }).count(), 0);
    await accessible(page);
    await runsForAMinute(page);
    const pair = await page.evaluate(async () => [...(await [...window.signalpost.call.links.values()][0].pc.getStats()).values()].find(({ type, nominated }) => type === 'candidate-pair' && nominated));
    assert.ok(pair.responsesReceived > 5, 'connectivity checks are answered');

    obs.do('stop');
    assert.equal((await obs.next('stopped')).status, 200);
    await page.getByTestId('remote-tile').waitFor({ state: 'detached' });
    await state(page, 'waiting');
    assert.match(await page.getByTestId('status').textContent(), /OBS left/);
  });

  for (const [name, options] of Object.entries({ 'candidates by PATCH': [], 'all candidates in the offer': ['-n'] })) {
    test(`simple-whip-client, ${name}`, async (t) => {
      const room = `client-${options.length}`;
      const page = await waiting(t, room);
      const client = Shell.start(t, [whipClient(server.base, room), ...options].join(' '), { env: await noUpnp() });
      await client.whileItRuns(async () => {
        await state(page, 'connected');
        await videoRuns(page);
        await isAudible(page);
        await runsForAMinute(page);
      });
      const ended = client.interrupt();
      await page.getByTestId('remote-tile').waitFor({ state: 'detached' });
      await ended;
    });
  }
});
