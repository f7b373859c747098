import { enter, launch } from '../../tests/e2e/support/browser.js';

/** @import { Page } from 'playwright-core' */

/** Only a guard: on two cores, 28 connections of both their ends take a while. */
const ALL_HERE_MS = 300_000;
/** The last flag of a name counts. */
const FEW_FRAMES = '--use-fake-device-for-media-stream=fps=5';
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
 * Reads how long a page's main thread has worked and run scripts so far, in seconds of its processor time.
 *
 * @param {Page} page
 */
async function meter(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  return async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    const of = (/** @type {string} */ wanted) => metrics.find(({ name }) => name === wanted)?.value ?? NaN;
    return { tasks: of('TaskDuration'), scripts: of('ScriptDuration') };
  };
}

/**
 * People in a room, each seeing all others, who do nothing: the tasks of more than 50 ms of all their pages by the clock, and how long each
 * page's main thread worked and ran scripts by its processor time, in milliseconds.
 *
 * @param {string} base
 * @param {{ people: number, seconds: number }} how
 */
export async function longTasks(base, { people, seconds }) {
  const browser = await launch({ flags: [FEW_FRAMES] });
  /** @type {Page[]} */
  const pages = [];
  for (let one = 0; one < people; one += 1) {
    const context = await browser.newContext();
    context.setDefaultTimeout(ALL_HERE_MS);
    const page = await context.newPage();
    await page.addInitScript(noteLongTasks);
    await enter(page, `${base}/?${new URLSearchParams({ room: 'rest', name: `Guest ${one + 1}`, capacity: String(people) })}`);
    await page.waitForFunction(() => 'signalpost' in window && window.signalpost, null, { timeout: ALL_HERE_MS });
    pages.push(page);
  }
  await Promise.all(pages.map((page) => seesAll(page, people - 1)));
  const meters = await Promise.all(pages.map(meter));
  const before = await Promise.all(meters.map((read) => read()));
  const noted = await Promise.all(pages.map((page) => page.evaluate((ms) => {
    const { longTasks: tasks } = /** @type {{ longTasks: number[] }} */ (/** @type {unknown} */ (window));
    tasks.length = 0;
    return new Promise((resolve) => { setTimeout(() => resolve(tasks), ms); });
  }, seconds * 1_000)));
  const after = await Promise.all(meters.map((read) => read()));
  const ms = (/** @type {'tasks' | 'scripts'} */ of) => after.map((now, page) => (now[of] - before[page][of]) * 1_000);
  await browser.close();
  return { noted: /** @type {number[][]} */ (noted), tasks: ms('tasks'), scripts: ms('scripts') };
}
