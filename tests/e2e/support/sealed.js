import { newKey } from '../../../web/client/index.js';
import { answer, cheapMedia, PATIENCE_MS } from './browser.js';

export { newKey };

/** A link to a sealed room. */
export const sealedLink = (base, room, key = newKey()) => `${base}/?room=${room}#key=${key}`;

/**
 * A visitor who types their name: one in the link's query would be sent to the server.
 *
 * @param {import('playwright-core').Browser} browser
 * @param {{ name: string, media?: 'both' | 'none', prepare?: () => void, fill?: (page: import('playwright-core').Page) => Promise<void> }} options
 *   `fill`: what else to do in the form
 */
export async function visitLink(browser, link, { name, media = 'none', prepare, fill, ...contextOptions }) {
  const context = await browser.newContext({ viewport: { width: 900, height: 800 }, ...contextOptions });
  if (prepare) await context.addInitScript(prepare);
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(`${name}: ${error.stack}`));
  await page.addInitScript(answer);
  await page.addInitScript(cheapMedia);
  await page.goto(link);
  await page.waitForSelector('body[data-loaded=true]');
  await page.getByTestId('name').fill(name);
  await page.getByTestId(`media-${media}`).check();
  await fill?.(page);
  await page.getByTestId('join').click();
  return page;
}

/** What is said about keys that do not fit. */
export async function lacking(page, text) {
  const notice = page.getByTestId('lacking').filter({ hasText: text });
  await notice.waitFor({ timeout: PATIENCE_MS });
  return notice.textContent();
}

/** Resolves with the safety number of the only connection, once it is known. */
export async function safetyNumber(page) {
  const known = await page.waitForFunction(() => [...window.signalpost.call.links.values()][0]?.safetyNumber, null, { timeout: PATIENCE_MS });
  return known.jsonValue();
}
