import { launch, visit } from '../../tests/e2e/support/browser.js';

/** @import { Page } from 'playwright-core' */

const ALL_HERE_MS = 120_000;

/** In a page: collects its tasks of more than 50 ms. */
function noteLongTasks() {
  /** @type {number[]} */
  const tasks = [];
  new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask' });
  Object.assign(window, { longTasks: tasks });
}

/** @param {Page} page @param {number} others whose pictures are shown */
function seesAll(page, others) {
  return page.waitForFunction((wanted) => {
    const videos = [.../** @type {NodeListOf<HTMLVideoElement>} */ (document.querySelectorAll('[data-testid=remote-video]'))];
    return videos.filter(({ videoWidth }) => videoWidth > 0).length === wanted;
  }, others, { timeout: ALL_HERE_MS });
}

/**
 * People in a room, each seeing all others, who do nothing: the tasks of more than 50 ms of all their pages, in milliseconds.
 *
 * @param {string} base
 * @param {{ people: number, seconds: number }} how
 */
export async function longTasks(base, { people, seconds }) {
  const browser = await launch();
  /** @type {Page[]} */
  const pages = [];
  for (let one = 0; one < people; one += 1) {
    pages.push(await visit(browser, base, { room: 'rest', name: `Guest ${one + 1}`, prepare: noteLongTasks, ignoreHTTPSErrors: true }));
  }
  await Promise.all(pages.map((page) => seesAll(page, people - 1)));
  const tasks = await Promise.all(pages.map((page) => page.evaluate((ms) => {
    const { longTasks: noted } = /** @type {{ longTasks: number[] }} */ (/** @type {unknown} */ (window));
    noted.length = 0;
    return new Promise((resolve) => { setTimeout(() => resolve(noted), ms); });
  }, seconds * 1_000)));
  await browser.close();
  return /** @type {number[][]} */ (tasks);
}
