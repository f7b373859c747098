import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch, state, videoRuns, visit } from './support/browser.js';
import { said } from './support/said.js';
import { Server } from './support/server.js';

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(), launch({ flags: ['--use-fake-device-for-media-stream=device-count=3,fps=10'] })]); });
after(async () => { await browser.close(); await server.stop(); });

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const picture = (page, name) => process.env.SCREENSHOTS && page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png` });
const close = (...pages) => Promise.all(pages.map((page) => page.context().close()));
/** For `prepare`: the system's list of what to share with, which nobody can press here. */
function sharing() {
  window.shared = [];
  navigator.share = async (what) => {
    window.shared.push(what);
    if (window.shareFails) throw new DOMException('', window.shareFails);
  };
}

test('on phones, the link is shared with what the system offers; copied if there is nothing', async () => {
  const ann = await visit(browser, server.base, { room: 'share', name: 'Ann', media: 'none', prepare: sharing, ...PHONE, permissions: ['clipboard-read', 'clipboard-write'] });
  await state(ann, 'waiting');
  const button = ann.getByTestId('copy-link').filter({ hasText: 'Share link' });
  await button.click();
  const link = `${server.base}/?room=share`;
  await ann.waitForFunction(() => window.shared.length === 1);
  assert.deepEqual(await ann.evaluate(() => window.shared), [{ url: link }]);
  await picture(ann, 'share-phone');
  await ann.getByTestId('local-link').waitFor();
  await ann.evaluate(() => { window.shareFails = 'AbortError'; });
  await button.click();
  await ann.waitForFunction(() => window.shared.length === 2);
  assert.equal(await ann.evaluate(() => navigator.clipboard.readText()), '', 'the user did not want to share it');
  await ann.evaluate(() => { window.shareFails = 'NotAllowedError'; });
  await said(ann, '#copy-link', /Link copied/, () => button.click());
  assert.equal(await ann.evaluate(() => navigator.clipboard.readText()), link);
  await button.waitFor();
  await close(ann);
});

test('with a mouse, the link is copied, as before', async () => {
  const ann = await visit(browser, server.base, { room: 'copy', name: 'Ann', media: 'none', prepare: sharing, permissions: ['clipboard-read', 'clipboard-write'] });
  await state(ann, 'waiting');
  await said(ann, '#copy-link', /Link copied/, () => ann.getByTestId('copy-link').filter({ hasText: 'Copy link' }).click());
  assert.deepEqual(await ann.evaluate(() => window.shared), []);
  await close(ann);
});

test('the name is remembered for the next visit, and a link may give another', async () => {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${server.base}/?room=name&media=none`);
  assert.equal(await page.getByTestId('name').inputValue(), '');
  await page.getByTestId('name').fill('Änne');
  await page.getByTestId('join').click();
  await state(page, 'waiting');
  const tab = await page.context().newPage();
  await tab.goto(`${server.base}/?room=other`);
  await state(tab, 'lobby');
  assert.equal(await tab.getByTestId('name').inputValue(), 'Änne');
  await tab.goto(`${server.base}/?room=other&name=Ben`);
  assert.equal(await tab.getByTestId('name').inputValue(), 'Ben');
  await tab.getByTestId('name').fill('');
  await tab.locator('[data-testid=media-none]').check();
  await tab.getByTestId('join').click();
  await state(tab, 'waiting');
  await page.goto(`${server.base}/?room=third`);
  await state(page, 'lobby');
  assert.equal(await page.getByTestId('name').inputValue(), '', 'nameless is a choice');
  await close(page);
});

test('on phones, a button on one’s own picture switches to the next camera, without a negotiation', async () => {
  const ann = await visit(browser, server.base, { room: 'flip', name: 'Ann', ...PHONE });
  await state(ann, 'waiting');
  const ben = await visit(browser, server.base, { room: 'flip', name: 'Ben' });
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  assert.equal(await ben.getByTestId('flip').isVisible(), false, 'with a mouse, there is the list');
  await videoRuns(ben);
  const uses = (label) => ann.waitForFunction((label) => document.querySelector('#self-video').srcObject.getVideoTracks()[0]?.label === label, label);
  // Each description has another origin. The rest may change by itself: candidates.
  const origin = () => ann.evaluate(() => [...window.signalpost.call.links.values()][0].pc.localDescription.sdp.match(/^o=.*$/m)[0]);
  const before = await origin();
  await ann.getByTestId('settings').click();
  // The last. Nobody can show what the second gives (Y16).
  await ann.getByTestId('settings-dialog').getByTestId('pick-video').selectOption({ label: 'fake_device_2' });
  await uses('fake_device_2');
  await ann.getByTestId('settings-close').click();
  await picture(ann, 'flip-phone');
  await ann.getByTestId('flip').click();
  await uses('fake_device_0');
  await videoRuns(ben);
  assert.equal(await origin(), before);
  await ann.getByTestId('camera-off').click();
  await ann.getByTestId('flip').waitFor({ state: 'hidden' });
  await close(ann, ben);
});
