import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { accessible } from './support/axe.js';
import { enter, launch, state, videoRuns, visit } from './support/browser.js';
import { permissions } from './support/devices.js';
import { Server } from './support/server.js';

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(), launch({ flags: ['--use-fake-device-for-media-stream=device-count=3,fps=10'] })]); });
after(async () => { await browser.close(); await server.stop(); });

/** In a page: its own tracks and the devices that they come from. */
const own = (page, id) => page.evaluate((id) => document.querySelector(id).srcObject.getTracks().map(({ id, label, readyState }) => [id, label, readyState]), id);
const picture = (page, name) => process.env.SCREENSHOTS && page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png`, fullPage: true });

test('camera, microphone and speaker are chosen before anybody sees or hears, used in the call without opening them again', async () => {
  const context = await browser.newContext({ viewport: { width: 900, height: 700 } });
  const ann = await context.newPage();
  const asked = [];
  ann.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await ann.goto(`${server.base}/?room=preview&name=Ann`);
  await ann.getByTestId('preview-start').click();
  await ann.getByTestId('preview-video').waitFor();
  await ann.waitForFunction(() => document.querySelector('#preview-level').value > 0);
  await ann.getByTestId('preview-view').getByTestId('pick-video').selectOption({ label: 'fake_device_2' });
  await ann.waitForFunction(() => document.querySelector('#preview-video').srcObject.getVideoTracks()[0]?.label === 'fake_device_2');
  await ann.getByTestId('preview-view').getByTestId('pick-speaker').selectOption({ label: 'Fake Audio Output 2' });
  await accessible(ann);
  await picture(ann, 'preview');
  await ann.setViewportSize({ width: 320, height: 480 });
  await picture(ann, 'preview-small');
  await ann.setViewportSize({ width: 900, height: 700 });
  await ann.getByTestId('preview-camera-off').click();
  await ann.getByTestId('preview-video').waitFor({ state: 'hidden' });
  await ann.getByTestId('preview-camera-off').filter({ hasText: 'Camera on' }).click();
  await ann.getByTestId('preview-video').waitFor();
  assert.deepEqual(asked.filter((path) => path.startsWith('/v1/')), [], 'the server knows of it');
  const chosen = await own(ann, '#preview-video');
  assert.equal(chosen.at(-1)[1], 'fake_device_2');
  await ann.getByTestId('join').click();
  await state(ann, 'waiting');
  assert.deepEqual(await own(ann, '#self-video'), chosen);
  const ben = await visit(browser, server.base, { room: 'preview', name: 'Ben' });
  await ann.getByTestId('answer').click();
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await videoRuns(ben);
  const output = await ann.evaluate(async () => (await navigator.mediaDevices.enumerateDevices()).find(({ label }) => label === 'Fake Audio Output 2').deviceId);
  await ann.waitForFunction((output) => document.querySelector('[data-testid=remote-video]').sinkId === output, output);
  // The next visit, in a tab of its own.
  const later = await context.newPage();
  await enter(later, `${server.base}/?room=later&name=Ann`);
  await state(later, 'waiting');
  assert.equal((await own(later, '#self-video')).at(-1)[1], 'fake_device_2');
  await Promise.all([context.close(), ben.context().close()]);
});

test('the preview says what is blocked and how to allow it, follows the choice of devices, and frees them', async () => {
  const hers = await launch({ camera: false, flags: ['--use-fake-device-for-media-stream'] });
  const context = await hers.newContext({ permissions: ['microphone'] });
  const ann = await context.newPage();
  await ann.goto(server.base);
  const set = await permissions(ann);
  await set('camera', 'denied');
  await ann.getByTestId('preview-start').click();
  await ann.getByTestId('preview-notice').filter({ hasText: 'The camera is not allowed for this page.' }).waitFor();
  await ann.getByTestId('preview-allow').filter({ hasText: 'left of the address' }).waitFor();
  await accessible(ann);
  await picture(ann, 'preview-blocked');
  await set('camera', 'granted');
  await ann.getByTestId('preview-video').waitFor();
  await ann.getByTestId('preview-allow').waitFor({ state: 'hidden' });
  const tracks = await ann.evaluateHandle(() => document.querySelector('#preview-video').srcObject.getTracks());
  await ann.getByTestId('media-none').check();
  await ann.getByTestId('preview').waitFor({ state: 'hidden' });
  assert.deepEqual(await tracks.evaluate((all) => all.map(({ readyState }) => readyState)), ['ended', 'ended']);
  await hers.close();
});

test('without Web Audio there is no level, and everything else', async () => {
  // Regression: no buttons, notices or lists appeared.
  const page = await (await browser.newContext()).newPage();
  await page.addInitScript(() => { delete window.AudioContext; });
  await page.goto(`${server.base}/?room=mute&name=Ann`);
  await page.getByTestId('preview-start').click();
  await page.getByTestId('preview-mute').waitFor();
  await page.getByTestId('preview-camera-off').waitFor();
  await page.getByTestId('preview-level').waitFor({ state: 'hidden' });
  await page.getByTestId('preview-view').getByTestId('pick-audio').waitFor();
  await picture(page, 'preview-without-web-audio');
  await page.context().close();
});
