import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import puppeteer from 'puppeteer-core';

import { ALONE, CAMERA, FLAGS, PATIENCE_MS, executablePath } from './support/browser.js';
import { probe } from './support/recordings.js';
import { Server } from './support/server.js';

// Playwright has every page believe that it is in view. Puppeteer does not.

let server, browser;
before(async () => {
  server = await Server.start();
  browser = await puppeteer.launch({ executablePath, headless: true, args: [...FLAGS, ALONE, ...CAMERA] });
});
after(async () => { await browser.close(); await server.stop(); });

const SECONDS = 6;

test('a hidden page keeps recording, as while another window is shared', async () => {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.evaluateOnNewDocument(() => { delete window.showSaveFilePicker; });
  await page.goto(`${server.base}/?room=hidden&name=Ann`);
  await page.waitForSelector('#join:not([disabled])');
  await page.click('#join');
  await page.waitForFunction(() => document.querySelector('#self-video').videoWidth > 0);
  await page.click('#record');
  await page.waitForSelector('#recording:not([hidden])');
  await (await browser.newPage()).goto('about:blank');
  // In a hidden page, timers and frames come rarely: this asks from outside.
  const ask = async (question) => { while (!await page.evaluate(question)) await page.evaluate(() => navigator.locks.query()); };
  await ask(() => document.visibilityState === 'hidden');
  const hiddenAt = Date.now();
  await ask(`(${(seconds) => document.querySelector('#recording-time').textContent >= `0:0${seconds}`})(${SECONDS})`);
  assert.equal(await page.evaluate(() => document.visibilityState), 'hidden');
  assert.ok(Date.now() - hiddenAt < PATIENCE_MS);
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
  // Timers of a hidden page run once a second.
  assert.ok(video.changes > 2 * SECONDS, `${video.changes} pictures in ${SECONDS} s`);
});
