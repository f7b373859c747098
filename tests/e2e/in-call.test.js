import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { accessible } from './support/axe.js';
import { heard, launch, state, videoRuns, visit } from './support/browser.js';
import { Server } from './support/server.js';

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(), launch({ flags: ['--use-fake-device-for-media-stream=device-count=3,fps=10'] })]); });
after(async () => { await browser.close(); await server.stop(); });

const picture = (page, name) => process.env.SCREENSHOTS && page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png` });
const tile = (page, marks) => page.locator(`[data-testid=remote-tile]${marks}`).waitFor();
/** How many sections the descriptions have. */
const sections = (page) => page.evaluate(() => [...window.signalpost.call.links.values()][0].pc.localDescription.sdp.split('m=').length - 1);
const screenRuns = (page) => page.waitForFunction(() => document.querySelector('[data-screen=true] video')?.videoWidth > 0);

test('in the call: another camera, a screen beside it, a hand, the key to talk, who speaks, how good the connection is, and full screen', async () => {
  const ann = await visit(browser, server.base, { room: 'in-call', name: 'Ann' });
  await state(ann, 'waiting');
  const ben = await visit(browser, server.base, { room: 'in-call', name: 'Ben' });
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await videoRuns(ben);

  await tile(ben, '[data-speaking=true]');
  await ben.getByTestId('bars').waitFor();
  assert.match(await ben.getByTestId('remote-tile').textContent(), /(good|fair|poor) connection/);

  const before = await ann.evaluate(() => [...window.signalpost.call.links.values()][0].pc.localDescription.sdp.match(/^o=.*$/m)[0]);
  await ann.getByTestId('settings').click();
  await ann.getByTestId('settings-dialog').getByTestId('pick-video').selectOption({ label: 'fake_device_2' });
  await ann.waitForFunction(() => document.querySelector('#self-video').srcObject.getVideoTracks()[0]?.label === 'fake_device_2');
  await accessible(ann);
  await picture(ann, 'settings');
  await ann.getByTestId('settings-close').click();
  await videoRuns(ben);
  assert.equal(await ann.evaluate(() => [...window.signalpost.call.links.values()][0].pc.localDescription.sdp.match(/^o=.*$/m)[0]), before, 'it took a negotiation');

  await ann.getByTestId('hand').click();
  await ben.getByTestId('raised').first().waitFor();
  await ben.getByTestId('spoken-devices').filter({ hasText: 'Ann has raised their hand' }).waitFor();
  await ann.getByTestId('share-screen').click();
  await heard(ben, 'Ann is sharing a screen');
  await screenRuns(ben);
  await videoRuns(ben);
  await Promise.all([accessible(ann), accessible(ben)]);
  await picture(ann, 'sharing');
  await picture(ben, 'screen');
  for (const [width, height] of [[320, 480], [844, 390], [1280, 720]]) {
    await ben.setViewportSize({ width, height });
    const shares = await ben.waitForFunction(() => {
      const [stage, screen] = ['#stage', '[data-screen=true]'].map((one) => document.querySelector(one).getBoundingClientRect());
      const inside = [...document.querySelectorAll('.tile')].every((tile) => tile.getBoundingClientRect().right <= stage.right + 1);
      return inside && Math.max(screen.width / stage.width, screen.height / stage.height) > 0.99 && Math.min(screen.width / stage.width, screen.height / stage.height) > 0.7;
    });
    assert.ok(shares);
    await picture(ben, `screen-${width}`);
  }
  // A peer that comes back gets both.
  await ben.reload();
  await state(ben, 'connected');
  await screenRuns(ben);
  await ben.getByTestId('raised').first().waitFor();
  const many = await sections(ann);
  await ann.getByTestId('share-screen').filter({ hasText: 'Stop sharing' }).click();
  await ben.locator('[data-screen=true]').waitFor({ state: 'detached' });
  await ann.getByTestId('share-screen').filter({ hasText: 'Share screen' }).click();
  await screenRuns(ben);
  assert.equal(await sections(ann), many);
  // As the browser's own button does.
  await ann.evaluate(() => {
    const { pc } = [...window.signalpost.call.links.values()][0];
    const shared = pc.getSenders().filter(({ track }) => track?.kind === 'video').at(-1).track;
    shared.dispatchEvent(new Event('ended'));
  });
  await heard(ben, 'Ann has stopped sharing');
  await ben.locator('[data-screen=true]').waitFor({ state: 'detached' });
  await ann.keyboard.press('h');
  await ben.getByTestId('raised').first().waitFor({ state: 'hidden' });

  await ann.getByTestId('mute').click();
  await tile(ben, '[data-microphone=off]');
  await ann.keyboard.down('t');
  await tile(ben, '[data-microphone=live]');
  await ann.keyboard.up('t');
  await tile(ben, '[data-microphone=off]');
  await ann.keyboard.down('t');
  await tile(ben, '[data-microphone=live]');
  // macOS reports no release of a key meanwhile.
  await ann.keyboard.press('Meta');
  await tile(ben, '[data-microphone=off]');
  await ann.keyboard.up('t');

  await ben.getByTestId('remote-tile').hover();
  await ben.getByTestId('full').click();
  await ben.waitForFunction(() => document.fullscreenElement?.matches('[data-testid=remote-tile]'));
  await picture(ben, 'full');
  await ben.getByTestId('full').click();
  await ben.waitForFunction(() => document.fullscreenElement === null);
  await ben.getByTestId('remote-tile').hover();
  await ben.getByTestId('apart').click();
  await ben.waitForFunction(() => document.pictureInPictureElement?.matches('[data-testid=remote-video]'));
  await ben.getByTestId('apart').click();
  await ben.waitForFunction(() => document.pictureInPictureElement === null);
  await Promise.all([ann, ben].map((page) => page.context().close()));
});

test('the screen stays on from the first moment of a call to its end', async () => {
  const ann = await visit(browser, server.base, { room: 'awake', name: 'Ann', media: 'none', prepare: () => {
    const { request } = WakeLock.prototype;
    window.held = [];
    WakeLock.prototype.request = async function ask(type) {
      const lock = await request.call(this, type);
      window.held.push(lock);
      return lock;
    };
  } });
  await state(ann, 'waiting');
  await ann.waitForFunction(() => window.held.length === 1 && !window.held[0].released);
  await ann.getByTestId('hang-up').click();
  await ann.waitForFunction(() => window.held[0].released);
  await ann.context().close();
});
