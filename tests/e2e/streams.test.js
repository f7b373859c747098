import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { canChat, enter, heard, launch, say, state, visit } from './support/browser.js';
import { Server } from './support/server.js';

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

const close = (...pages) => Promise.all(pages.map((page) => page.context().close()));

/** For Ann's page: puts each track in its own stream, and can drop offers. */
function native() {
  const { addTrack } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.addTrack = function add(track) { return addTrack.call(this, track, new MediaStream([track])); };
  const { fetch } = window;
  const lose = ({ to, type, ...rest }) => (type === 'offer' ? { to, type: 'data', data: null } : { to, type, ...rest });
  window.fetch = (url, init) => {
    if (!window.losing || !init?.body?.includes('"type":"offer"')) return fetch(url, init);
    return fetch(url, { ...init, body: JSON.stringify({ messages: JSON.parse(init.body).messages.map(lose) }) });
  };
  window.connection = () => [...window.signalpost.call.links.values()][0].pc;
  window.draw = () => {
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('2d');
    const next = () => { context.fillStyle = `hsl(${performance.now() % 360} 50% 50%)`; context.fillRect(0, 0, 300, 150); requestAnimationFrame(next); };
    next();
    return canvas.captureStream().getVideoTracks()[0];
  };
}

/** Ann, who joined first, and Ben. */
async function call(room) {
  const context = await browser.newContext();
  const ann = await context.newPage();
  await ann.clock.install();
  await ann.addInitScript(native);
  await enter(ann, `${server.base}/?room=${room}&name=Ann`);
  await state(ann, 'waiting');
  const ben = await visit(browser, server.base, { room, name: 'Ben' });
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  return [ann, ben];
}

/** Waits until this many videos play in this many tiles. */
const pictures = (page, count) => page.waitForFunction((wanted) => {
  const videos = [...document.querySelectorAll('[data-testid=remote-video]')];
  return videos.length === wanted && videos.every(({ videoWidth, hidden }) => videoWidth > 0 && !hidden);
}, count);

// Regression: the page showed the last stream, and dropped the other.
test('sound and picture in two streams are in one tile, and a second picture has its own', async () => {
  const [ann, ben] = await call('streams');
  await pictures(ben, 1);
  const kinds = () => ben.evaluate(() => document.querySelector('[data-testid=remote-video]').srcObject.getTracks().map(({ kind }) => kind).sort());
  await ben.waitForFunction(() => document.querySelector('[data-testid=remote-video]').srcObject.getTracks().length === 2);
  assert.deepEqual(await kinds(), ['audio', 'video']);
  await ann.evaluate(() => { window.second = window.connection().addTrack(window.draw()); });
  await pictures(ben, 2);
  assert.match(await ben.getByTestId('remote-tile').nth(1).textContent(), /Ann – another picture/);
  assert.deepEqual(await kinds(), ['audio', 'video'], 'and leaves the first tile alone');
  await ann.evaluate(() => window.connection().removeTrack(window.second));
  await pictures(ben, 1);
  await close(ann, ben);
});

/** For Ben's page: it answers like programs that have no picture. */
function rejecting() {
  const { setLocalDescription } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.setLocalDescription = async function describe(...description) {
    const pictures = this.getTransceivers().filter(({ receiver }) => receiver.track.kind === 'video');
    if (this.signalingState === 'have-remote-offer') pictures.forEach((one) => one.stop());
    return setLocalDescription.apply(this, description);
  };
}

// Regression: each press of a button made a new connection.
test('a connection whose peer has rejected the picture outlasts changes of the devices', async () => {
  const ann = await visit(browser, server.base, { room: 'rejected', name: 'Ann', prepare: native });
  await state(ann, 'waiting');
  const ben = await visit(browser, server.base, { room: 'rejected', name: 'Ben', media: 'none', prepare: rejecting });
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await ann.waitForFunction(() => /^m=video 0 /m.test(window.connection().remoteDescription?.sdp));
  await ann.evaluate(() => { window.first = window.connection(); });
  for (const [button, told] of [['mute', '[data-microphone=off]'], ['camera-off', '[data-camera=off]'], ['mute', '[data-microphone=live]']]) {
    await ann.getByTestId(button).click();
    await ben.locator(`[data-testid=remote-tile]${told}`).waitFor();
  }
  await canChat(ann);
  await say(ann, 'can you hear me?');
  await heard(ben, 'can you hear me?');
  assert.ok(await ann.evaluate(() => window.first === window.connection()));
  await close(ann, ben);
});

// Regression: it stayed in `have-local-offer`, and nothing could be added to the call.
test('an offer that is lost in a call is rolled back and made again', async () => {
  const [ann, ben] = await call('lost');
  await pictures(ben, 1);
  await ann.evaluate(() => {
    window.unanswered = [];
    window.signalpost.call.on('offer-unanswered', ({ attempts, final }) => window.unanswered.push([attempts, final]));
    window.first = window.connection();
    window.losing = true;
    window.first.addTrack(window.draw());
  });
  await ann.waitForFunction(() => window.first.signalingState === 'have-local-offer' && window.first.getTransceivers().length === 3);
  await ann.evaluate(() => { window.losing = false; });
  await ann.clock.fastForward(16_000);
  await pictures(ben, 2);
  assert.deepEqual(await ann.evaluate(() => window.unanswered), [[1, false]]);
  await ann.waitForFunction(() => window.connection() === window.first && window.first.signalingState === 'stable');
  await close(ann, ben);
});
