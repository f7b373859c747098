import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { accessible } from './support/axe.js';
import { enter, heard, launch, say, state, videoRuns, visit } from './support/browser.js';
import { permissions, pullable, unplug } from './support/devices.js';
import { Server } from './support/server.js';

// Regression: a camera unplugged in mid-call left a frozen picture at the other end, and neither page said why.

const THREE_CAMERAS = ['--use-fake-device-for-media-stream=device-count=3,fps=10'];

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

/** Ann, who loses her devices, in her own browser, and Ben. */
async function call(room, { prepare, asks = false, ...options } = {}) {
  // With automatic answers to its prompts, Chromium grants the camera even if a site setting denies it.
  const hers = await launch({ camera: !asks, flags: THREE_CAMERAS });
  const ben = await visit(browser, server.base, { room, name: 'Ben' });
  const context = await hers.newContext({ viewport: { width: 900, height: 700 }, ...options });
  const ann = await context.newPage();
  if (prepare) await ann.addInitScript(prepare);
  await enter(ann, `${server.base}/?${new URLSearchParams({ room, name: 'Ann', media: 'both' })}`);
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await videoRuns(ben);
  return { ann, ben, hers, end: async () => { await hers.close(); await ben.context().close(); } };
}

const noticed = (page, text) => page.getByTestId('notice').filter({ hasText: text }).waitFor();
const told = (page, text) => page.getByTestId('chat-entry').filter({ hasText: text }).first().waitFor();
const pictureOf = (page) => page.getByTestId('remote-video');
const kinds = (page) => page.evaluate(() => document.querySelector('#self-video').srcObject.getTracks().map(({ kind }) => kind).sort());

test('a camera that is unplugged is missed on both ends, another one can be used, and the call continues', async () => {
  const { ann, ben, hers, end } = await call('unplugged', { prepare: pullable });
  await ann.evaluate(() => { window.unplugged = ['fake_device_0']; });
  await unplug(hers, 'video_capture');
  await noticed(ann, 'The camera has stopped. It will be used again as soon as it returns. Others cannot see you.');
  await told(ben, 'Ann’s camera has stopped');
  await pictureOf(ben).waitFor({ state: 'hidden' });
  assert.match(await ben.getByTestId('remote-tile').textContent(), /Ann – no camera/);
  assert.equal(await ann.getByTestId('local-video').isHidden(), true, 'her own last frame looks as if she were seen');
  const offered = ann.getByTestId('use-video');
  assert.deepEqual(await offered.allTextContents(), ['Use fake_device_1', 'Use fake_device_2']);
  // The one between these two is a depth camera.
  await offered.last().click();
  await told(ben, 'Ann’s camera works again');
  await pictureOf(ben).waitFor({ state: 'visible' });
  await videoRuns(ben);
  await ann.getByTestId('notice').waitFor({ state: 'hidden' });
  await ann.getByTestId('device-choices').waitFor({ state: 'hidden' });
  await say(ben, 'there you are');
  await heard(ann, 'there you are');
  await end();
});

test('a camera that is pulled out while it is off is missed when it is switched on, and tried again', async () => {
  const { ann, ben, hers, end } = await call('returns', { prepare: pullable });
  await ann.getByTestId('camera-off').click();
  await ben.locator('[data-testid=remote-tile][data-camera=off]').waitFor();
  await unplug(hers, 'video_capture');
  await ann.evaluate(() => { window.unplugged = ['fake_device_0', 'fake_device_1', 'fake_device_2']; });
  await ann.getByTestId('camera-off').click();
  await noticed(ann, 'No camera was found. Others cannot see you.');
  await told(ben, 'Ann’s camera has stopped');
  await ann.evaluate(() => { window.unplugged = []; });
  await ann.getByTestId('retry-devices').click();
  await told(ben, 'Ann’s camera works again');
  await videoRuns(ben);
  await ann.getByTestId('notice').waitFor({ state: 'hidden' });
  await end();
});

test('a camera is used without a microphone, and a device in use is tried again, or another used', async () => {
  const hers = await launch({ flags: THREE_CAMERAS });
  const context = await hers.newContext();
  const ann = await context.newPage();
  await ann.addInitScript(pullable);
  await ann.addInitScript(() => { window.unplugged = ['Fake Default Audio Input', 'Fake Audio Input 1', 'Fake Audio Input 2']; });
  await enter(ann, `${server.base}/?room=mixed&name=Ann&media=both`);
  await noticed(ann, 'No microphone was found. Others can see you but not hear you.');
  const ben = await visit(browser, server.base, { room: 'mixed', name: 'Ben' });
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await videoRuns(ben);
  await ben.getByTestId('remote-tile').filter({ hasText: 'Ann – no microphone' }).waitFor();
  assert.deepEqual(await kinds(ann), ['video']);
  await accessible(ann);
  // A microphone is there by now, but another program has it.
  await ann.evaluate(() => Object.assign(window, { unplugged: [], busy: 'audio' }));
  await ann.getByTestId('retry-devices').click();
  await noticed(ann, 'The microphone is in use by another program. Others cannot hear you.');
  assert.deepEqual(await ann.getByTestId('use-audio').allTextContents(), ['Use Fake Audio Input 1', 'Use Fake Audio Input 2']);
  await ann.evaluate(() => { window.busy = ''; });
  await ann.getByTestId('use-audio').last().click();
  await told(ben, 'Ann’s microphone works again');
  await ann.getByTestId('notice').waitFor({ state: 'hidden' });
  assert.equal(await ann.evaluate(() => document.querySelector('#self-video').srcObject.getAudioTracks()[0].label), 'Fake Audio Input 2');
  await hers.close();
  await ben.context().close();
});

test('a camera that was lost with a process of the browser comes back by itself', async () => {
  const { ann, ben, hers, end } = await call('crash');
  await unplug(hers, 'video_capture');
  await told(ben, 'Ann’s camera has stopped');
  await told(ben, 'Ann’s camera works again');
  await videoRuns(ben);
  assert.deepEqual(await kinds(ann), ['audio', 'video']);
  await end();
});

test('a microphone that ends is missed on both ends, and taken back', async () => {
  const { ann, ben, hers, end } = await call('silent', { prepare: pullable });
  await ann.evaluate(() => { window.unplugged = ['Fake Default Audio Input', 'Fake Audio Input 1', 'Fake Audio Input 2']; });
  await unplug(hers, 'audio');
  await noticed(ann, 'The microphone has stopped. It will be used again as soon as it returns. Others cannot hear you.');
  await told(ben, 'Ann’s microphone has stopped');
  await pictureOf(ben).waitFor({ state: 'visible' });
  assert.match(await ben.getByTestId('remote-tile').textContent(), /Ann – no microphone/);
  await ann.getByTestId('mute').waitFor({ state: 'hidden' });
  await ann.evaluate(() => {
    window.unplugged = [];
    navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
  });
  await told(ben, 'Ann’s microphone works again');
  await ann.getByTestId('mute').waitFor({ state: 'visible' });
  await end();
});

test('a permission that is withdrawn is missed on both ends, and the camera taken back when it is given again', async () => {
  const { ann, ben, end } = await call('permission', { asks: true, permissions: ['camera', 'microphone'] });
  const set = await permissions(ann);
  await set('camera', 'denied');
  await noticed(ann, 'The camera is no longer allowed for this page.');
  await told(ben, 'Ann’s camera has stopped');
  await pictureOf(ben).waitFor({ state: 'hidden' });
  await set('camera', 'granted');
  await told(ben, 'Ann’s camera works again');
  await pictureOf(ben).waitFor({ state: 'visible' });
  await videoRuns(ben);
  await end();
});

test('a camera that is denied does not cost the microphone', async () => {
  const hers = await launch({ camera: false, flags: ['--use-fake-device-for-media-stream'] });
  const context = await hers.newContext({ permissions: ['microphone'] });
  const ann = await context.newPage();
  await ann.goto(server.base);
  const set = await permissions(ann);
  await set('camera', 'denied');
  await enter(ann, `${server.base}/?room=denied&name=Ann&media=both`);
  await noticed(ann, 'The camera is not allowed for this page. You can allow it in the browser’s settings for this site. Others can hear you but not see you.');
  assert.deepEqual(await kinds(ann), ['audio']);
  await ann.getByTestId('retry-devices').waitFor();
  await set('camera', 'granted');
  await ann.getByTestId('local-video').waitFor({ state: 'visible' });
  await ann.getByTestId('notice').waitFor({ state: 'hidden' });
  await hers.close();
});

test('a camera that gives nothing for a while is missed until it gives something', async () => {
  const { ann, ben, end } = await call('covered');
  const muted = (is) => ann.evaluate((is) => {
    const [track] = document.querySelector('#self-video').srcObject.getVideoTracks();
    Object.defineProperty(track, 'muted', { value: is, configurable: true });
    track.dispatchEvent(new Event(is ? 'mute' : 'unmute'));
  }, is);
  await muted(true);
  await noticed(ann, 'The camera is not sending anything');
  await told(ben, 'Ann’s camera has stopped');
  await muted(false);
  await told(ben, 'Ann’s camera works again');
  await ann.getByTestId('notice').waitFor({ state: 'hidden' });
  await end();
});

test('a later peer is told, too, and a camera that was missing at the start is taken when there is one', async () => {
  const hers = await launch({ flags: THREE_CAMERAS });
  const context = await hers.newContext();
  const ann = await context.newPage();
  await ann.addInitScript(pullable);
  await ann.addInitScript(() => {
    window.unplugged = ['fake_device_0', 'fake_device_1', 'fake_device_2'];
    const { mediaDevices: devices } = navigator;
    const open = devices.getUserMedia.bind(devices);
    devices.getUserMedia = async (constraints) => {
      if (constraints.video && window.unplugged.length > 0) throw new DOMException('', 'NotFoundError');
      return open(constraints);
    };
  });
  await enter(ann, `${server.base}/?room=later&name=Ann&media=both`);
  await noticed(ann, 'No camera was found. Others can hear you but not see you.');
  const ben = await visit(browser, server.base, { room: 'later', name: 'Ben' });
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await ben.getByTestId('remote-tile').filter({ hasText: 'Ann – no camera' }).waitFor();
  await ann.evaluate(() => {
    window.unplugged = [];
    navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
  });
  await told(ben, 'Ann’s camera works again');
  await videoRuns(ben);
  await hers.close();
  await ben.context().close();
});
