import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { PATIENCE_MS, launch, state, visit } from './support/browser.js';
import { Server } from './support/server.js';
import { declined, endpoint, player } from './support/whip.js';

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(['--room-capacity', '8']), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

async function sender(t, room, options = {}) {
  const page = await visit(browser, server.base, { room, name: 'Ann', media: 'both', ...options });
  t.after(() => page.context().close());
  await page.waitForFunction(() => window.signalpost?.room);
  return page;
}

test('aiortc plays a page\'s camera and microphone, and the page says that it does', async (t) => {
  const page = await sender(t, 'player');
  const aiortc = player(t, endpoint(server, 'player', '?name=VLC', 'whep'));
  await aiortc.next('answer', { status: 201 });
  await state(page, 'connected');
  for (const kind of ['video', 'audio']) await aiortc.next('frame', { kind, number: 30 });
  assert.match(await page.getByTestId('remote-tile').locator('figcaption').textContent(), /VLC – player/);
  aiortc.child.stdin.end();
  assert.equal((await aiortc.next('stopped')).status, 200);
  await state(page, 'waiting');
});

test('a player sees a camera that is switched on later', async (t) => {
  const page = await sender(t, 'later', { media: 'audio' });
  const aiortc = player(t, endpoint(server, 'later', '', 'whep'));
  await aiortc.next('frame', { kind: 'audio', number: 30 });
  await page.evaluate(async () => {
    const own = window.signalpost.call.links.values().next().value.pc.getSenders().find(({ track }) => track?.kind === 'audio').track;
    const camera = await navigator.mediaDevices.getUserMedia({ video: true });
    window.signalpost.call.replaceStream(new MediaStream([own, ...camera.getTracks()]));
  });
  await aiortc.next('frame', { kind: 'video', number: 30 });
});

test('another browser plays it, by WHEP alone', async (t) => {
  const page = await sender(t, 'browser');
  const context = await browser.newContext();
  t.after(() => context.close());
  const other = await context.newPage();
  // Any page of this origin, with the addresses that a camera brings.
  await other.goto(`${server.base}/network-test`);
  await other.evaluate(async (url) => {
    await navigator.mediaDevices.getUserMedia({ video: true });
    const pc = new RTCPeerConnection();
    for (const kind of ['video', 'audio']) pc.addTransceiver(kind, { direction: 'recvonly' });
    await pc.setLocalDescription();
    while (pc.iceGatheringState !== 'complete') await new Promise((resolve) => pc.addEventListener('icegatheringstatechange', resolve, { once: true }));
    const call = () => fetch(url, { method: 'POST', headers: { 'content-type': 'application/sdp' }, body: pc.localDescription.sdp });
    let response = await call();
    // A page that is slow may not have answered in time.
    for (let tries = 1; tries < 5 && response.status === 409; tries += 1) response = await call();
    if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
    await pc.setRemoteDescription({ type: 'answer', sdp: await response.text() });
    window.playing = pc;
  }, endpoint(server, 'browser', '', 'whep'));
  await other.waitForFunction(async () => {
    const video = [...(await window.playing.getStats()).values()].find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video');
    return video?.framesDecoded > 20;
  }, null, { timeout: PATIENCE_MS });
  await state(page, 'connected');
});

test('a page without camera and microphone has nothing for a player', async (t) => {
  await sender(t, 'nothing', { media: 'none' });
  const aiortc = player(t, endpoint(server, 'nothing', '', 'whep'));
  await declined(aiortc, 409);
});
