import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch, state, videoRuns } from './support/browser.js';
import { call, chats } from './support/native-call.js';
import { Server } from './support/server.js';

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

/** Our client in Python calls the page, with picture and sound. */
const meet = (first, options, work) => call({ server, browser }, 'our Python client', first, options, async (page, python) => {
  await up(page, python);
  await work(page, python);
});

/** Connected, with an open channel at both ends. */
async function up(page, python) {
  await python.next('channel', { open: true });
  await state(page, 'connected');
  await chats(page, python);
}

for (const first of ['page', 'native']) {
  test(`${first} first: chat, and media both ways`, () => meet(first, {}, async (page, python) => {
    await videoRuns(page);
    await python.next('frame', { kind: 'video' });
    await python.next('frame', { kind: 'audio' });
  }));

  test(`${first} first: a page without a camera sees the picture all the same`, () => meet(first, { media: 'none' }, (page) => videoRuns(page)));

  test(`${first} first: the page is loaded again`, () => meet(first, {}, async (page, python) => {
    await python.next('frame', { kind: 'video' });
    python.forget();
    await page.reload();
    await up(page, python);
    await videoRuns(page);
    await python.next('frame', { kind: 'video' });
  }));

  test(`${first} first: ICE is restarted by the page`, () => meet(first, {}, async (page, python) => {
    python.forget();
    await page.evaluate(() => [...window.signalpost.call.links.values()][0].pc.restartIce());
    // aiortc cannot do that, so there is a new connection.
    await python.next('state', { state: 'connecting' });
    await up(page, python);
    await videoRuns(page);
  }));

  test(`${first} first: the page negotiates again on the same connection`, () => meet(first, {}, async (page, python) => {
    python.forget();
    const stays = await page.evaluateHandle(() => [...window.signalpost.call.links.values()][0].pc);
    await page.evaluate((pc) => { pc.addTransceiver('audio', { direction: 'recvonly' }); }, stays);
    await page.waitForFunction((pc) => pc.getTransceivers().every(({ mid, currentDirection }) => mid !== null && currentDirection !== null), stays);
    await chats(page, python);
    assert.ok(await page.evaluate((pc) => [...window.signalpost.call.links.values()][0].pc === pc && pc.signalingState === 'stable', stays));
  }));

  test(`${first} first: the program leaves, and comes back`, () => meet(first, {}, async (page, python) => {
    await python.leave();
    await state(page, 'waiting');
    python.forget();
    await python.join();
    await up(page, python);
    await videoRuns(page);
  }));
}
