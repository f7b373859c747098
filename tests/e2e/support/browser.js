import { chromium } from 'playwright-core';

import { glance } from './glance.js';

export const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/**
 * Parts of the browser that cost a second of processor time for each profile: the list under its address bar, and a spare renderer.
 * Chromium reads only the last `--disable-features`, so Playwright's list is repeated as far as it concerns these tests.
 */
const DISABLED = [
  ...['WebUIOmniboxPopup', 'WebUIOmniboxAimPopup', 'WebUIOmniboxFullPopup', 'SpareRendererForSitePerProcess'],
  ...['AimEnabled', 'DestroyProfileOnBrowserClose', 'HttpsFirstBalancedModeAutoEnable', 'HttpsUpgrades', 'MediaRouter', 'NetworkTimeServiceQuerying'],
  ...['OptimizationHints', 'PaintHolding', 'PreconnectToSearch', 'ThirdPartyStoragePartitioning', 'AvoidUnnecessaryBeforeUnloadCheckSync'],
];

export const FLAGS = [
  `--disable-features=${DISABLED}`,
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

/** Without this flag, a machine that only has a loopback interface gathers no candidates. */
export const ALONE = '--allow-loopback-in-peer-connection';

export const CAMERA = ['--use-fake-device-for-media-stream=fps=10', '--use-fake-ui-for-media-stream'];

/** Guards against hanging only. Tests wait for events, whose timing depends on the machine. */
export const PATIENCE_MS = 120_000;

/** Chromium with a fake camera and microphone, or with none. `home`: the directory with the certificate authorities it trusts. */
export async function launch({ camera = true, flags = [], home = process.env.HOME } = {}) {
  return patient(await chromium.launch({ executablePath, env: { ...process.env, HOME: home }, headless: true, args: [...FLAGS, ALONE, ...(camera ? CAMERA : []), ...flags] }));
}

/** Playwright itself has no patience for a whole browser. @param {import('playwright-core').Browser} browser */
export function patient(browser) {
  const { newContext } = browser;
  browser.newContext = async (options) => {
    const context = await newContext.call(browser, options);
    context.setDefaultTimeout(PATIENCE_MS);
    return context;
  };
  return browser;
}

/** Opens the network test and starts it with a click. */
export async function startTest(page, base) {
  await page.goto(`${base}/network-test`);
  await page.getByTestId('start').click();
}

/** In a page: answers every caller, like somebody who expects them. */
export function answer() {
  const answered = () => document.querySelector('[data-testid=answer]')?.click();
  new MutationObserver(answered).observe(document, { childList: true, subtree: true });
}

/** In a page: a small camera picture, and sound as the microphone gives it. Two cores cannot encode several calls in full size. */
export function cheapMedia() {
  // Missing on plain http.
  if (!globalThis.MediaDevices) return;
  const { getUserMedia } = MediaDevices.prototype;
  const small = (video) => ({ ...video, width: 160, height: 120 });
  const raw = (audio) => ({ ...audio, autoGainControl: false, echoCancellation: false, noiseSuppression: false });
  MediaDevices.prototype.getUserMedia = function open({ video, audio }) {
    return getUserMedia.call(this, { ...(video && { video: small(video) }), ...(audio && { audio: raw(audio) }) });
  };
}

/**
 * Opens a link to a room and joins with a click.
 *
 * @param {{ answers?: boolean, fullSize?: boolean }} [options] `answers`: admits newcomers; `fullSize`: leaves the page's media
 *   constraints as they are
 */
export async function enter(page, link, { answers = true, fullSize = false } = {}) {
  if (answers) await page.addInitScript(answer);
  if (!fullSize) await page.addInitScript(cheapMedia);
  await page.goto(link);
  // In another language than English, its catalogue may come after the load event, and the form only then.
  await page.waitForSelector('body[data-loaded=true]');
  await page.getByTestId('join').click();
}

/**
 * A visitor: a browser profile of their own, in the room.
 *
 * @param {import('playwright-core').Browser} browser
 */
export async function visit(browser, base, { room, name, media = 'both', prepare, answers, fullSize, ...contextOptions }) {
  const context = await browser.newContext({ viewport: { width: 900, height: 700 }, ...contextOptions });
  if (prepare) await context.addInitScript(prepare);
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(`${name}: ${error.stack}`));
  await enter(page, `${base}/?${new URLSearchParams({ room, name, media })}`, { answers, fullSize });
  return page;
}

/** Waits until the page is in one of these states. */
export function state(page, ...states) {
  return page.waitForFunction((wanted) => wanted.includes(document.body?.dataset.state), states, { timeout: PATIENCE_MS });
}

export const idOf = (page) => page.evaluate(() => window.signalpost.room.self.id);

/** Waits until what changed is drawn: tiles are fitted in the next frame, and drawn in the one after. Chromium may stop drawing, and then nothing else would end the wait. */
export const drawn = (page) => page.evaluate(() => new Promise((resolve) => {
  requestAnimationFrame(() => requestAnimationFrame(resolve));
  setTimeout(resolve, 3_000);
}));

/** Goes back in the history. The evaluation has returned by then, so Playwright does not wait for a navigation. */
export const goBack = (page) => page.evaluate(() => void setTimeout(() => history.back()));

/** The number of decoded frames of remote video. */
export function framesDecoded(page) {
  return page.evaluate(async () => {
    let frames = 0;
    for (const { pc } of window.signalpost?.call.links.values() ?? []) {
      for (const report of (await pc?.getStats())?.values() ?? []) {
        if (report.type === 'inbound-rtp' && report.kind === 'video') frames += report.framesDecoded;
      }
    }
    return frames;
  });
}

/** Waits until more frames of remote video have been decoded. */
export async function videoRuns(page, more = 10) {
  await page.waitForFunction(() => document.querySelector('[data-testid=remote-video]')?.videoWidth > 0, null, { timeout: PATIENCE_MS });
  const before = await framesDecoded(page);
  for (const started = Date.now(); Date.now() - started < PATIENCE_MS;) {
    // A new media connection counts from zero.
    const now = await framesDecoded(page);
    if (now >= before + more) return now;
    await glance();
  }
  throw new Error(`video stands still at ${before} frames`);
}

/** Waits until the channels to this many peers are open. They open after the connections. */
export const canChat = (page, peers = 1) => page.waitForFunction((peers) => [...window.signalpost.call.links.values()].filter(({ channel }) => channel?.readyState === 'open').length === peers, peers, { timeout: PATIENCE_MS });

export async function say(page, text) {
  await page.getByTestId('chat-input').fill(text);
  await page.getByTestId('chat-send').click();
}

export const heard = (page, text) => page.getByTestId('chat-entry').filter({ hasText: text }).first().waitFor({ timeout: PATIENCE_MS });
