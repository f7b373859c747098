import { enter, launch, state, visit } from '../../tests/e2e/support/browser.js';

/** In a page: notes the time of the click on Join, and of the first decoded frame of somebody else's picture. */
function watchForPicture() {
  addEventListener('click', ({ target, timeStamp }) => {
    if (/** @type {Element} */ (target).closest?.('[data-testid=join]')) Object.assign(window, { clicked: timeStamp });
  }, true);
  const seen = new MutationObserver(() => {
    const video = /** @type {HTMLVideoElement | null} */ (document.querySelector('[data-testid=remote-video]'));
    if (!video) return;
    seen.disconnect();
    video.requestVideoFrameCallback((now) => Object.assign(window, { pictured: now }));
  });
  seen.observe(document, { childList: true, subtree: true });
}

/**
 * How long it takes the second of two people to see the first one, from the click on Join, in milliseconds. Ann's page admits at once.
 *
 * @param {string} base
 * @param {number} times
 */
export async function joins(base, times) {
  const browser = await launch();
  const all = [];
  for (let run = 0; run < times; run += 1) {
    const room = `picture-${run}`;
    const ann = await visit(browser, base, { room, name: 'Ann', ignoreHTTPSErrors: true });
    await state(ann, 'waiting');
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const ben = await context.newPage();
    await ben.addInitScript(watchForPicture);
    await enter(ben, `${base}/?${new URLSearchParams({ room, name: 'Ben' })}`);
    await ben.waitForFunction(() => 'pictured' in window);
    all.push(await ben.evaluate(() => {
      const { clicked, pictured } = /** @type {{ clicked: number, pictured: number }} */ (/** @type {unknown} */ (window));
      return pictured - clicked;
    }));
    await Promise.all([ann, ben].map((page) => page.context().close()));
  }
  await browser.close();
  return all;
}
