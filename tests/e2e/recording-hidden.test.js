import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import puppeteer from 'puppeteer-core';

import { ALONE, CAMERA, FLAGS, PATIENCE_MS, executablePath } from './support/browser.js';
import { eventually } from './support/eventually.js';
import { FOLDER, latest, plays, privateFile, probe, recorded } from './support/recordings.js';
import { Server } from './support/server.js';

// Playwright has every page believe that it is in view. Puppeteer does not, but both let the timers of hidden pages run freely.
const UNTHROTTLED = ['--disable-background-timer-throttling', '--disable-backgrounding-occluded-windows', '--disable-renderer-backgrounding'];

let server, browser;
before(async () => {
  server = await Server.start();
  browser = await puppeteer.launch({ executablePath, headless: true, ignoreDefaultArgs: UNTHROTTLED, args: [...FLAGS, ALONE, ...CAMERA] });
});
after(async () => { await browser.close(); await server.stop(); });

/** In a page: counts the pictures that are painted for a recording, and keeps when it begins. */
function counting() {
  delete window.showSaveFilePicker;
  window.painted = 0;
  const { start } = MediaRecorder.prototype;
  MediaRecorder.prototype.start = function begun(...piece) {
    window.begun = performance.now();
    return start.apply(this, piece);
  };
  const { fillRect } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillRect = function counted(...box) {
    // Each begins with the ground. A single tile has the same size.
    if (box[2] === 1280 && box[3] === 720 && this.fillStyle === '#10161c') window.painted += 1;
    fillRect.apply(this, box);
  };
}

/** In a page: `most` is the largest number of pictures painted between two ticks of a timer of the page, as fast as the recording. */
function ticking() {
  Object.assign(window, { painted: 0, most: 0 });
  setInterval(() => Object.assign(window, { painted: 0, most: Math.max(window.most, window.painted) }), 40);
}

test('a hidden page keeps recording, as while another window is shared', async () => {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.evaluateOnNewDocument(counting);
  await page.goto(`${server.base}/?room=hidden&name=Ann`);
  await page.waitForSelector('#join:not([disabled])');
  await page.click('#join');
  await page.waitForFunction(() => document.querySelector('#self-video').videoWidth > 0);
  await page.click('#record');
  await page.waitForSelector('#recording:not([hidden])');
  await (await browser.newPage()).goto('about:blank');
  // In a hidden page, timers and frames come rarely: this asks from outside.
  const until = (condition) => eventually(() => page.evaluate(condition), String(condition));
  await until(() => document.visibilityState === 'hidden');
  const since = await page.evaluate(() => (performance.now() - window.begun) / 1_000);
  await page.evaluate(ticking);
  // If a timer of the page painted them, there would be one for each tick.
  await until(() => window.most > 3);
  await recorded(page, since + 2, { since: since + 1 });
  assert.equal(await page.evaluate(() => document.visibilityState), 'hidden');
  const name = await latest(page);
  await page.evaluate(() => document.querySelector('#record').click());
  await until(() => document.querySelector('#record-words').textContent.includes('downloads'));
  const found = await probe(await privateFile(page, FOLDER, name));
  plays(found, since + 2, { since: since + 1 });
});
