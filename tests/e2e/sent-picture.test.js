import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { accessible } from './support/axe.js';
import { launch, state, videoRuns, visit } from './support/browser.js';
import { LossyWay } from './support/lossy.js';
import { Server } from './support/server.js';
import { Turn } from './support/turn.js';

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

const picture = (page, name) => process.env.SCREENSHOTS && page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png` });
const close = (...pages) => Promise.all(pages.map((page) => page.context().close()));
/** Until the other's picture is this wide. */
const wide = (page, width) => page.waitForFunction((width) => document.querySelector('[data-testid=remote-video]').videoWidth === width, width);

async function meet(base, room, prepare) {
  const ann = await visit(browser, base, { room, name: 'Ann', prepare });
  await state(ann, 'waiting');
  const ben = await visit(browser, base, { room, name: 'Ben', media: 'none' });
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await videoRuns(ben);
  await wide(ben, 160);
  await ann.getByTestId('diagnostics').locator('> summary').click();
  return [ann, ben];
}

test('the picture that is sent is as large as was chosen, also in the next call', async () => {
  const [ann, ben] = await meet(server.base, 'sent');
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
  const turn = await Turn.start();
  const way = await LossyWay.start(turn.port);
  const relaying = await Server.start(['--turn-url', `turn:127.0.0.1:${way.port}?transport=udp`, '--turn-secret', turn.secret]);
  // All that Ann sends takes the way that loses packets.
  const [ann, ben] = await meet(relaying.base, 'lossy', () => {
    window.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(configuration) { super({ ...configuration, iceTransportPolicy: 'relay' }); }
    };
  });
  way.every = 5;
  // While the loss lasts, it becomes smaller still.
  await ben.waitForFunction(() => [80, 40].includes(document.querySelector('[data-testid=remote-video]').videoWidth));
  await ann.getByTestId('sent').filter({ hasText: 'You send Ben a smaller picture, because the connection is poor.' }).waitFor();
  await picture(ann, 'sent-lossy');
  way.every = 0;
  await wide(ben, 160);
  await ann.getByTestId('sent').waitFor({ state: 'hidden' });
  await close(ann, ben);
  await relaying.stop();
  way.stop();
  await turn.stop();
});
