import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch, state, videoRuns } from './support/browser.js';
import { call, chats } from './support/native-call.js';
import { LIBRARIES } from './support/native.js';
import { Server } from './support/server.js';

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

/** Numbers the page's connections in order of first use. */
const connection = (page) => page.evaluate(() => {
  const [{ pc }] = window.signalpost.call.links.values();
  window.known ??= [];
  if (!window.known.includes(pc)) window.known.push(pc);
  return window.known.indexOf(pc);
});

const stable = (page) => page.waitForFunction(() => [...window.signalpost.call.links.values()][0]?.pc?.signalingState === 'stable');

const audible = (page) => page.waitForFunction(() => document.querySelector('[data-testid=remote-video]')?.srcObject?.getAudioTracks().length > 0);

for (const library of Object.keys(LIBRARIES)) {
  for (const first of ['page', 'native']) {
    // Regression: each of their descriptions has a different session id, and the second one ended the call for good. (The page
    // sends no media: if it does, offers by aiortc 1.16 renumber codecs, which browsers reject.)
    test(`${library}, ${first} first: a microphone is added to the same connection`, () => call({ server, browser }, library, first, { media: 'none' }, async (page, native) => {
      await state(page, 'connected');
      await chats(page, native);
      await stable(page);
      assert.equal(await connection(page), 0);
      native.do('mic');
      await audible(page);
      await chats(page, native);
      assert.equal(await connection(page), 0);
    }));

    test(`${library}, ${first} first: the page offers again, and again`, () => call({ server, browser }, library, first, {}, async (page, native) => {
      await state(page, 'connected');
      await chats(page, native);
      await stable(page);
      assert.equal(await connection(page), 0);
      for (let n = 0; n < 2; n += 1) {
        native.forget();
        await page.evaluate(() => { [...window.signalpost.call.links.values()][0].pc.addTransceiver('audio', { direction: 'recvonly' }); });
        await native.next('took', { type: 'offer' });
        await native.next('said', { type: 'answer' });
        await stable(page);
        await chats(page, native);
      }
      assert.equal(await connection(page), 0);
    }));

    test(`${library}, ${first} first: ICE is restarted by the page`, () => call({ server, browser }, library, first, {}, async (page, native) => {
      await state(page, 'connected');
      await chats(page, native);
      await stable(page);
      native.forget();
      await page.evaluate(() => [...window.signalpost.call.links.values()][0].pc.restartIce());
      // libdatachannel cannot answer this, and offers a new connection instead.
      await native.next('said', { type: library === 'aiortc' ? 'answer' : 'offer' });
      await stable(page);
      await state(page, 'connected');
      await chats(page, native);
    }));

    test(`${library}, ${first} first: it leaves, and comes back`, () => call({ server, browser }, library, first, { options: ['own'] }, async (page, native) => {
      await state(page, 'connected');
      await chats(page, native);
      await native.leave();
      await state(page, 'waiting');
      await native.join();
      await state(page, 'connected');
      await chats(page, native);
    }));
  }
}

for (const first of ['page', 'native']) {
  test(`aiortc, ${first} first: a picture that belongs to no stream is shown`, () => call({ server, browser }, 'aiortc', first, { options: ['loose'] }, async (page) => {
    await state(page, 'connected');
    await videoRuns(page);
    assert.match(await page.evaluate(() => [...window.signalpost.call.links.values()][0].pc.remoteDescription.sdp), /^a=msid:- /m);
  }));
}
