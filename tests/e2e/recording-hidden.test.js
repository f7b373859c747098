import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import puppeteer from 'puppeteer-core';

import { ALONE, CAMERA, FLAGS, PATIENCE_MS, executablePath } from './support/browser.js';
import { probe } from './support/recordings.js';
import { Server } from './support/server.js';

// Playwright has every page believe that it is in view. Puppeteer does not, but both let the timers of hidden pages run freely.
const UNTHROTTLED = ['--disable-background-timer-throttling', '--disable-backgrounding-occluded-windows', '--disable-renderer-backgrounding'];

let server, browser;
before(async () => {
  server = await Server.start();
  browser = await puppeteer.launch({ executablePath, headless: true, ignoreDefaultArgs: UNTHROTTLED, args: [...FLAGS, ALONE, ...CAMERA] });
});
after(async () => { await browser.close(); await server.stop(); });

const SECONDS = 6;

/** In a page: counts the pictures that are painted for a recording. */
function counting() {
  delete window.showSaveFilePicker;
  window.painted = 0;
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
  const ask = async (question) => {
    for (const started = Date.now(); !await page.evaluate(question); await page.evaluate(() => navigator.locks.query())) {
      if (Date.now() - started > PATIENCE_MS) throw new Error(`it never came to this: ${question}`);
    }
  };
  await ask(() => document.visibilityState === 'hidden');
  await page.evaluate(ticking);
  await ask(`(${(seconds) => document.querySelector('#recording-time').textContent >= `0:0${seconds}`})(${SECONDS})`);
  assert.equal(await page.evaluate(() => document.visibilityState), 'hidden');
  // If a timer of the page painted them, there would be one for each tick.
  await ask(() => window.most > 3);
  await page.evaluate(() => document.querySelector('#record').click());
  await page.waitForFunction(() => document.querySelector('#record-words').textContent.includes('downloads'), { polling: 100 });
  const content = await page.evaluate(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('signalpost-recordings');
    for await (const handle of folder.values()) {
      const bytes = new Uint8Array(await (await handle.getFile()).arrayBuffer());
      return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
    }
  });
  const { video, audio } = await probe(Buffer.from(content, 'base64'));
  assert.ok(audio.peak > 300, JSON.stringify({ video, audio }));
  // How many are encoded depends on the machine.
  assert.ok(video.changes >= 3 && video.until > SECONDS / 2, `${video.changes} pictures, the last after ${video.until} of ${SECONDS} s`);
});
