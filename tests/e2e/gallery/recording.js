import { state } from '../support/browser.js';

/** @import { Page } from 'playwright-core' */

/** In a page: recordings become downloads, as nobody can choose a file here, and have one picture a second, which is cheap to encode. */
export function recordable() {
  delete window.showSaveFilePicker;
  const { captureStream } = HTMLCanvasElement.prototype;
  HTMLCanvasElement.prototype.captureStream = function few() { return captureStream.call(this, 1); };
}

/** As if the page had been closed before its recordings were saved. */
const forgetDownloads = (page) => page.evaluate(() => {
  const key = Object.keys(localStorage).find((one) => one.includes('recordings'));
  localStorage.setItem(key, JSON.stringify(Object.fromEntries(Object.keys(JSON.parse(localStorage.getItem(key))).map((name) => [name, null]))));
});

/**
 * What is seen of recordings by those who are recorded and those who record.
 *
 * @param {Page} page in a call, and `recordable`
 * @param {(news: object) => Promise<void>} tell what the other one's page says
 * @returns {AsyncGenerator<[string, Page]>}
 */
export async function* recording(page, tell) {
  await tell({ recording: true });
  await page.getByTestId('recorders').waitFor();
  await page.getByTestId('record').click();
  await page.getByTestId('recording').waitFor();
  // There is nothing to save before the first piece.
  await page.locator('[data-testid=recording-time]', { hasNotText: '0:00' }).waitFor();
  yield ['recording', page];
  await page.getByTestId('record').click();
  await page.getByTestId('record-save').waitFor();
  yield ['recording-saved', page];
  await page.getByTestId('record-close').click();
}

/**
 * The form after a visit whose recording was not saved.
 *
 * @param {Page} page that has recorded
 * @returns {AsyncGenerator<[string, Page]>}
 */
export async function* leftBehind(page) {
  await page.getByTestId('hang-up').click();
  await state(page, 'lobby');
  await forgetDownloads(page);
  await page.reload();
  await page.getByTestId('record-delete').waitFor();
  yield ['recording-left', page];
}
