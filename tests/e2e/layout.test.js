import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { accessible } from './support/axe.js';
import { drawn, heard, launch, say, state, visit } from './support/browser.js';
import { pullable } from './support/devices.js';
import { Server } from './support/server.js';

// Regressions, in Chromium: a long line made the chat wider than its column, `Send` was outside a window of 320 pixels, and the
// controls of the call were below the fold in landscape, at 200 % zoom and at 959 × 600.

const SIZES = [[320, 480], [360, 740], [390, 844], [640, 360], [844, 390], [768, 1024], [959, 600], [1280, 720], [2560, 1440]];

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

/** In a page: what is wrong with the call as it is shown in this window. */
function faults() {
  const [wide, high] = [innerWidth, innerHeight];
  const found = [];
  const complain = (what, element) => found.push(`${what}: ${element.outerHTML.slice(0, 90)}`);
  const shown = [...document.querySelectorAll('#call *')].filter((element) => element.checkVisibility() && !element.closest('.unseen, svg'));
  for (const element of shown) {
    const { left, right } = element.getBoundingClientRect();
    if (left < -0.5 || right > wide + 0.5) complain('outside', element);
  }
  for (const control of shown.filter((element) => element.matches('button, input, summary'))) {
    const { left, right, top, bottom } = control.getBoundingClientRect();
    if (top < 0 || bottom > high) complain(`from ${top} to ${bottom} of ${high}`, control);
    // Nothing lies over it, and no box cuts it off.
    for (const [x, y] of [[left + 2, (top + bottom) / 2], [right - 2, (top + bottom) / 2], [(left + right) / 2, top + 2], [(left + right) / 2, bottom - 2]]) {
      const hit = document.elementFromPoint(x, y);
      if (!hit || !(control.contains(hit) || hit.closest('label') === control)) { complain('covered', control); break; }
    }
    if (control.scrollWidth > control.clientWidth + 1 && control.matches('button')) complain('text cut off', control);
  }
  for (const element of shown.filter((element) => element.textContent.trim() && element.childElementCount === 0)) {
    if (parseFloat(getComputedStyle(element).fontSize) < 12) complain('small text', element);
  }
  const tiles = [...document.querySelectorAll('.tile')].map((tile) => tile.getBoundingClientRect());
  if (Math.max(...tiles.map(({ width, height }) => Math.min(width / 1.6, height))) < 60) found.push('the picture is tiny');
  if (document.documentElement.scrollWidth > wide || document.documentElement.scrollHeight > high) found.push('the page scrolls');
  return found;
}

async function fits(page, name) {
  for (const [width, height] of SIZES) {
    await page.setViewportSize({ width, height });
    await drawn(page);
    if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}-${width}x${height}.png` });
    assert.deepEqual(await page.evaluate(faults), [], `${name} at ${width} × ${height}`);
  }
}

test('all controls of the call are in view, in windows from 320 × 480 to 2560 × 1440', async () => {
  const ann = await visit(browser, server.base, { room: 'layout', name: 'Ann', prepare: pullable });
  await state(ann, 'waiting');
  await fits(ann, 'waiting');
  await accessible(ann);
  const ben = await visit(browser, server.base, { room: 'layout', name: 'Ben', media: 'none' });
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await say(ann, `${'lump'.repeat(60)} of sugar, please`);
  await heard(ben, 'sugar');
  await ann.getByTestId('camera-off').click();
  await ann.getByTestId('mute').click();
  await ben.locator('[data-testid=remote-tile][data-camera=off][data-microphone=off]').waitFor();
  await fits(ann, 'off');
  await fits(ben, 'connected');
  await ben.getByTestId('diagnostics').locator('> summary').click();
  await ben.getByTestId('connection').locator('summary').click();
  await accessible(ben);
  // As much as there is to say: a camera is in use, and what to do about it.
  await ann.evaluate(() => { window.busy = 'video'; });
  await ann.getByTestId('camera-off').click();
  await ann.getByTestId('notice').filter({ hasText: 'in use by another program' }).waitFor();
  await fits(ann, 'notice');
  await accessible(ann);
  await Promise.all([ann, ben].map((page) => page.context().close()));
});
