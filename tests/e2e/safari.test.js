import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch, state, videoRuns, visit } from './support/browser.js';
import { Server } from './support/server.js';

// What Safari does otherwise, from its documentation (docs/browsers.md), simulated in Chromium.

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(), launch({ flags: ['--use-fake-device-for-media-stream=device-count=3,fps=10'] })]); });
after(async () => { await browser.close(); await server.stop(); });

const close = (...pages) => Promise.all(pages.map((page) => page.context().close()));

/** For `addInitScript`: nothing with sound plays before the user has pressed something on this page. */
function silent() {
  const { play } = HTMLMediaElement.prototype;
  let pressed = false;
  addEventListener('pointerdown', ({ target }) => { pressed ||= target.closest?.('.sound') !== null; }, true);
  HTMLMediaElement.prototype.play = function perhaps() {
    return this.muted || pressed ? play.call(this) : Promise.reject(new DOMException('', 'NotAllowedError'));
  };
}

test('where sound needs a click, pictures run without it, and a button on the tile turns it on', async () => {
  const ann = await visit(browser, server.base, { room: 'sound', name: 'Ann', prepare: silent });
  await state(ann, 'waiting');
  const ben = await visit(browser, server.base, { room: 'sound', name: 'Ben' });
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await videoRuns(ann);
  const muted = () => ann.getByTestId('remote-video').evaluate((video) => [video.muted, video.paused]);
  const button = ann.getByRole('button', { name: 'Turn on sound' });
  await button.waitFor();
  assert.deepEqual(await muted(), [true, false]);
  await button.click();
  await button.waitFor({ state: 'hidden' });
  assert.deepEqual(await muted(), [false, false]);
  await close(ann, ben);
});

test('all videos play in the page and not in a player of their own', async () => {
  const page = await (await browser.newContext()).newPage();
  await page.goto(server.base);
  const videos = await page.evaluate(() => [document, ...[...document.querySelectorAll('template')].map(({ content }) => content)]
    .flatMap((root) => [...root.querySelectorAll('video')]).map(({ playsInline, autoplay }) => [playsInline, autoplay]));
  assert.deepEqual(videos, [[true, true], [true, true], [true, true]]);
  await close(page);
});

/** For `addInitScript`: a browser that encodes and decodes no other video than H.264. */
function onlyH264() {
  const video = RTCRtpReceiver.getCapabilities('video').codecs.filter(({ mimeType }) => /h264/i.test(mimeType));
  for (const name of ['createOffer', 'createAnswer', 'setLocalDescription']) {
    const own = RTCPeerConnection.prototype[name];
    RTCPeerConnection.prototype[name] = function restricted(...values) {
      for (const transceiver of this.getTransceivers()) if (transceiver.receiver.track.kind === 'video') transceiver.setCodecPreferences(video);
      return own.apply(this, values);
    };
  }
  // Nor does it send what the other end would rather have.
  const payloads = (sdp) => [...sdp.matchAll(/^a=rtpmap:(\d+) H264\//gm)].map(([, payload]) => payload).join(' ');
  const reduced = (sdp) => sdp.replace(/^m=video (\S+) (\S+) .*$/gm, (_, port, protocol) => `m=video ${port} ${protocol} ${payloads(sdp)}`);
  const { setRemoteDescription } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.setRemoteDescription = function apply({ type, sdp }) { return setRemoteDescription.call(this, { type, sdp: reduced(sdp) }); };
}

const codecs = (page) => page.evaluate(async () => {
  const [{ pc }] = window.signalpost.call.links.values();
  const stats = await pc.getStats();
  return [...stats.values()].filter(({ type, kind }) => type === 'inbound-rtp' && kind === 'video').map(({ codecId }) => stats.get(codecId)?.mimeType);
});

for (const [who, [first, second]] of Object.entries({ answers: [onlyH264, undefined], offers: [undefined, onlyH264] })) {
  test(`a browser that has only H.264 and ${who} has pictures in both directions`, async () => {
    const ann = await visit(browser, server.base, { room: `h264-${who}`, name: 'Ann', prepare: first });
    await state(ann, 'waiting');
    const ben = await visit(browser, server.base, { room: `h264-${who}`, name: 'Ben', prepare: second });
    await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
    await Promise.all([videoRuns(ann), videoRuns(ben)]);
    assert.deepEqual([await codecs(ann), await codecs(ben)], [['video/H264'], ['video/H264']]);
    await close(ann, ben);
  });
}

/** For `addInitScript`: opening a microphone mutes the one that is open, for good. */
function oneMicrophone() {
  const { getUserMedia } = MediaDevices.prototype;
  window.opened = [];
  MediaDevices.prototype.getUserMedia = async function only(wanted) {
    const stream = await getUserMedia.call(this, wanted);
    const [track] = stream.getAudioTracks();
    for (const open of track ? window.opened : []) {
      Object.defineProperty(open, 'muted', { value: true });
      open.dispatchEvent(new Event('mute'));
    }
    if (track) window.opened.push(track);
    return stream;
  };
}

test('where only one microphone is open at a time, another one takes its place and is heard', async () => {
  const context = await browser.newContext();
  const ann = await context.newPage();
  await ann.clock.install();
  await ann.addInitScript(oneMicrophone);
  await ann.goto(`${server.base}/?room=microphone&name=Ann&media=audio`);
  // The preview has the same one as the call.
  await ann.getByTestId('preview-start').click();
  await ann.getByTestId('preview-mute').waitFor();
  await ann.getByTestId('join').click();
  const ben = await visit(browser, server.base, { room: 'microphone', name: 'Ben', media: 'none' });
  await ann.getByTestId('answer').click();
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await ben.locator('[data-testid=remote-tile][data-speaking=true]').waitFor();
  await ann.getByTestId('settings').click();
  const picker = ann.getByTestId('settings-dialog').getByTestId('pick-audio');
  await picker.selectOption({ label: 'Fake Audio Input 2' });
  await ann.waitForFunction(() => document.querySelector('#self-video').srcObject.getAudioTracks().map(({ label, muted }) => `${label} ${muted}`).join() === 'Fake Audio Input 2 false');
  await ann.getByTestId('settings-close').click();
  // The old one counts as missing if it is mute for two seconds and was not given back.
  await ann.clock.fastForward(3_000);
  const stopped = await ann.evaluate(() => window.opened.map(({ readyState }) => readyState));
  assert.deepEqual(stopped, ['ended', 'live']);
  assert.ok(await ann.getByTestId('notice').isHidden());
  await ben.locator('[data-testid=remote-tile][data-speaking=true]').waitFor();
  await close(ann, ben);
});
