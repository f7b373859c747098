import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { accessible } from './support/axe.js';
import { launch, state, videoRuns, visit } from './support/browser.js';
import { Server } from './support/server.js';

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

const picture = (page, name) => process.env.SCREENSHOTS && page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png` });
const close = (...pages) => Promise.all(pages.map((page) => page.context().close()));
/** Until the other's picture is this wide. */
const wide = (page, width) => page.waitForFunction((width) => document.querySelector('[data-testid=remote-video]').videoWidth === width, width);

async function meet(room) {
  const ann = await visit(browser, server.base, { room, name: 'Ann' });
  await state(ann, 'waiting');
  const ben = await visit(browser, server.base, { room, name: 'Ben', media: 'none' });
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await videoRuns(ben);
  await wide(ben, 160);
  await ann.getByTestId('diagnostics').locator('> summary').click();
  return [ann, ben];
}

test('the picture that is sent is as large as was chosen, also in the next call', async () => {
  const [ann, ben] = await meet('sent');
  assert.equal(await ann.getByTestId('sent').isVisible(), false);
  const choose = async (value) => {
    await ann.getByTestId('settings').click();
    await ann.getByTestId('sent-picture').selectOption(value);
    await accessible(ann);
    await picture(ann, `sent-${value}`);
    await ann.getByTestId('settings-close').click();
  };
  await choose('half');
  await wide(ben, 80);
  await ann.getByTestId('sent').filter({ hasText: 'You send a smaller picture, as chosen under “Devices”.' }).waitFor();
  await choose('small');
  await wide(ben, 40);
  await ann.reload();
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await wide(ben, 40);
  await choose('auto');
  await wide(ben, 160);
  await close(ann, ben);
});

test('the picture gets smaller by itself when the line loses packets, and large again when it is mended', async () => {
  const [ann, ben] = await meet('lossy');
  const session = await ann.context().newCDPSession(ann);
  const line = (packetLoss) => session.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1, packetLoss, packetQueueLength: 0, packetReordering: false });
  await session.send('Network.enable');
  await line(20);
  await wide(ben, 80);
  await ann.getByTestId('sent').filter({ hasText: 'You send Ben a smaller picture, because the connection is poor.' }).waitFor();
  await picture(ann, 'sent-lossy');
  await line(0);
  await wide(ben, 160);
  await ann.getByTestId('sent').waitFor({ state: 'hidden' });
  await close(ann, ben);
});
