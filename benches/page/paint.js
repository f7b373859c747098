import { launch } from '../../tests/e2e/support/browser.js';

/** What Lighthouse calls slow 4G: 1.6 Mbit/s down, 750 kbit/s up, and 150 ms there and back, which each request takes here. */
const SLOW_4G = { offline: false, latency: 150, downloadThroughput: 1_600_000 / 8, uploadThroughput: 750_000 / 8 };
/** A phone of the middle class beside this machine, as Lighthouse has it. */
const CPU_RATE = 4;
const PHONE = { viewport: { width: 412, height: 823 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

/**
 * A first visit, with nothing in the cache: when something of the page is painted, and when the form can be used, in milliseconds.
 *
 * @param {import('playwright-core').Browser} browser
 * @param {string} base
 */
async function visitOnce(browser, base) {
  const context = await browser.newContext({ ...PHONE, ignoreHTTPSErrors: true });
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send('Network.enable');
  await devtools.send('Network.emulateNetworkConditions', SLOW_4G);
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: CPU_RATE });
  await page.addInitScript(() => {
    const seen = new MutationObserver(() => {
      if (document.body?.dataset.loaded !== 'true') return;
      Object.assign(window, { usable: performance.now() });
      seen.disconnect();
    });
    seen.observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-loaded'] });
  });
  await page.goto(`${base}/?room=paint&name=Ann&media=none`);
  await page.waitForFunction(() => 'usable' in window && performance.getEntriesByName('first-contentful-paint').length > 0);
  const times = await page.evaluate(() => ({
    painted: performance.getEntriesByName('first-contentful-paint')[0].startTime,
    usable: /** @type {number} */ (/** @type {any} */ (window).usable),
  }));
  await context.close();
  return times;
}

/** @param {string} base @param {number} times */
export async function paints(base, times) {
  const browser = await launch();
  const all = [];
  for (let run = 0; run < times; run += 1) all.push(await visitOnce(browser, base));
  await browser.close();
  return { painted: all.map(({ painted }) => painted), usable: all.map(({ usable }) => usable) };
}
