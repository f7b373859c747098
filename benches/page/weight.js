import { launch } from '../../tests/e2e/support/browser.js';

/** The catalogues of messages: each visitor loads those of one language. */
const CATALOGUE = /\/languages\/(?:\w+\/)?[a-z]{2}(?:-[A-Z]{2})?\.js$/;

/** @typedef {{ path: string, bytes: number, sent: number }} Loaded `sent`: as the body of the response, compressed or not */

/**
 * What the browser loads until the form can be used: the document and all its parts, without the catalogues of languages.
 *
 * @param {string} base
 * @returns {Promise<{ path: string, bytes: number, sent: number }[]>}
 */
export async function firstLoad(base) {
  const browser = await launch();
  const page = await browser.newPage({ ignoreHTTPSErrors: true });
  await page.goto(`${base}/?room=weight&name=Ann&media=none`);
  await page.waitForSelector('body[data-loaded=true]');
  await page.waitForLoadState('networkidle');
  const loaded = await page.evaluate(() => ['navigation', 'resource'].flatMap((type) => performance.getEntriesByType(type).map((entry) => {
    const { name, decodedBodySize: bytes, encodedBodySize: sent } = /** @type {PerformanceResourceTiming} */ (entry);
    return { path: new URL(name).pathname.replace(/^\/files-\w+/, ''), bytes, sent };
  })));
  await browser.close();
  return loaded.filter(({ path }) => !CATALOGUE.test(path));
}

/** @param {Loaded[]} loaded @param {'bytes' | 'sent'} what */
export function total(loaded, what) {
  return loaded.reduce((sum, one) => sum + one[what], 0);
}
