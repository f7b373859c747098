import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { drawn, idOf, launch, state, videoRuns, visit } from './support/browser.js';
import { redirecting } from './support/redirecting.js';
import { sealedLink, visitLink } from './support/sealed.js';
import { Server } from './support/server.js';
import { Shell } from './support/shell.js';
import { declined, encoder, endpoint, isAudible, noUpnp, whipClient } from './support/whip.js';

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(['--room-capacity', '8']), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

/** With a camera, so that the browser shows its addresses. */
async function viewer(t, room, options = {}) {
  const page = await visit(browser, server.base, { room, name: 'Ann', media: 'both', ...options });
  t.after(() => page.context().close());
  await page.waitForFunction(() => window.signalpost?.room);
  return page;
}

/** Resolves with the time from an encoder's successful attempt to its picture. */
async function comesBack(page, obs) {
  // An attempt from before the page was back may have found nobody, and a page may be too slow for another.
  for (let attempts = 1; attempts <= 5; attempts += 1) {
    await obs.next('try');
    const tried = Date.now();
    if ((await obs.next('answer')).status !== 201) continue;
    await videoRuns(page, 1);
    return `${Date.now() - tried} ms, attempt ${attempts}`;
  }
  return assert.fail('five attempts were not answered');
}

test('an encoder that was killed comes back as the same peer, and its picture with it', async (t) => {
  const page = await viewer(t, 'again');
  const first = await encoder(t, endpoint(server, 'again'));
  await state(page, 'connected');
  await videoRuns(page);
  const [before] = await page.evaluate(() => [...window.signalpost.room.peers.keys()]);
  await first.end();
  const second = await encoder(t, endpoint(server, 'again'));
  t.diagnostic(`back after ${await comesBack(page, second)}`);
  assert.deepEqual(await page.evaluate(() => [...window.signalpost.room.peers.keys()]), [before]);
  assert.equal(await page.getByTestId('remote-tile').count(), 1);
});

test('a page that is loaded again has the picture as soon as the encoder calls again', async (t) => {
  const page = await viewer(t, 'reload');
  const obs = await encoder(t, endpoint(server, 'reload'));
  await state(page, 'connected');
  await videoRuns(page);
  const id = await idOf(page);
  obs.forget();
  await page.reload();
  await page.waitForFunction((before) => window.signalpost?.room.self.id === before, id);
  t.diagnostic(`back after ${await comesBack(page, obs)}`);
  await isAudible(page);
});

// RFC 9725, section 4.5. The server sends no 307 itself (docs/whip.md); a proxy may.
test('a call that is redirected has its session at the server that answered', async (t) => {
  const page = await viewer(t, 'redirected');
  const proxy = await redirecting(t, server.base);
  const obs = await encoder(t, endpoint(proxy, 'redirected', '?name=OBS'));
  await obs.next('answer', { status: 201 });
  await state(page, 'connected');
  await videoRuns(page, 1);
  obs.do('stop');
  assert.equal((await obs.next('stopped')).status, 200);
  await page.getByTestId('remote-tile').waitFor({ state: 'detached' });
  assert.deepEqual([...new Set(proxy.methods)], ['POST']);
});

// RFC 9725, section 4.5. This client looks for its session where it was told to call, so it is redirected there, too.
test('simple-whip-client is redirected, with candidates and at the end as well', async (t) => {
  const page = await viewer(t, 'redirected-client');
  const proxy = await redirecting(t, server.base);
  const client = Shell.start(t, whipClient(proxy.base, 'redirected-client'), { env: await noUpnp() });
  await state(page, 'connected');
  await videoRuns(page, 1);
  const ended = client.interrupt();
  await page.getByTestId('remote-tile').waitFor({ state: 'detached' });
  await ended;
  // It asks for ICE servers first, because the page shows it with `-f`.
  assert.deepEqual([...new Set(proxy.methods)], ['OPTIONS', 'POST', 'PATCH', 'DELETE'], client.log);
});

test('nobody in the room: 503, and the encoder tries until somebody comes', async (t) => {
  const made = await fetch(`${server.base}/v1/rooms`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"room": "empty"}' });
  assert.equal(made.status, 201, await made.text());
  const obs = await encoder(t, endpoint(server, 'empty'));
  assert.equal((await obs.next('answer')).status, 503);
  const page = await viewer(t, 'empty');
  await state(page, 'connected');
  await videoRuns(page);
});

test('of two viewers one has the picture, and the other is told who', async (t) => {
  const ann = await viewer(t, 'two');
  const ben = await viewer(t, 'two', { name: 'Ben' });
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await encoder(t, endpoint(server, 'two', `?name=OBS&to=${await idOf(ben)}`));
  await ben.getByTestId('remote-tile').filter({ hasText: 'encoder' }).waitFor();
  assert.equal(await ann.getByTestId('remote-tile').filter({ hasText: 'encoder' }).count(), 0, 'it was called by name');

  const other = await encoder(t, endpoint(server, 'two', '?name=Camera'));
  await other.next('answer', { status: 201 });
  const tiles = [ann, ben].map((page) => page.getByTestId('remote-tile').filter({ hasText: 'Camera – encoder' }));
  const told = [ann, ben].map((page) => page.getByTestId('chat-entry').filter({ hasText: /sees the picture of .*Camera/ }));
  await Promise.race([Promise.all([tiles[0].waitFor(), told[1].waitFor()]), Promise.all([tiles[1].waitFor(), told[0].waitFor()])]);
});

// It comes and goes with each try. Regression: as a guest without a name, noted in the chat each time, and counted in the status.
test('an encoder that calls a sealed room again and again is told of once', async (t) => {
  const page = await visitLink(browser, sealedLink(server.base, 'sealed'), { name: 'Ann' });
  t.after(() => page.context().close());
  await page.waitForFunction(() => window.signalpost?.room);
  await page.evaluate(() => {
    window.statuses = new Set();
    new MutationObserver(() => window.statuses.add(document.querySelector('[data-testid=status]').textContent)).observe(document.querySelector('[data-testid=status]'), { childList: true, characterData: true, subtree: true });
  });
  const obs = await encoder(t, endpoint(server, 'sealed', '?name=OBS'));
  for (let tries = 0; tries < 3; tries += 1) assert.equal((await obs.next('answer')).status, 503);
  await drawn(page);
  const notes = await page.getByTestId('chat-entry').allTextContents();
  assert.match(notes.join('\n'), /^[^\n]*this room is sealed[^\n]*$/);
  assert.deepEqual(await page.evaluate(() => [...window.statuses].filter((text) => /key|Guest|left/.test(text))), []);
  assert.equal(await page.getByTestId('lacking').isVisible(), false);
});

test('a page that only chats declines', async (t) => {
  await viewer(t, 'chat', { media: 'chat' });
  const obs = await encoder(t, endpoint(server, 'chat'));
  await declined(obs, 503);
});
