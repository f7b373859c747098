/**
 * Measures what a file costs in memory: `node tests/e2e/measure-files.js [BYTES]`. Two browsers with profiles on disk, and the proportional
 * set size of all their processes, four times a second. (A private window, as tests use, keeps its storage in memory.)
 */
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

import { ALONE, FLAGS, enter, executablePath, state } from './support/browser.js';
import { Server } from './support/server.js';
import { choose, hashOf, withoutPicker } from './support/transfers.js';

const BYTES = Number(process.argv[2] ?? 1_000_000_000);
const FOLDER = process.env.FOLDER ?? '/var/tmp';
const EVERY_MS = 250;
const TELL_MS = 10_000;
const MEGABYTE = 1_000_000;

const folder = await mkdtemp(join(FOLDER, 'measure-files-'));
const server = await Server.start();
const [ann, ben] = [await person('Ann'), await person('Ben')];
try {
  await Promise.all([ann, ben].map(({ page }) => state(page, 'connected')));
  const path = await filled(join(folder, 'large.bin'));
  await choose(ann.page, path);
  await ben.page.getByTestId('file-question').waitFor();
  const before = await Promise.all([memory(ann), memory(ben)]);
  const highest = before.map((kinds) => ({ ...kinds }));
  const sampling = setInterval(async () => {
    for (const [at, one] of [ann, ben].entries()) for (const [kind, bytes] of Object.entries(await memory(one))) highest[at][kind] = Math.max(highest[at][kind] ?? 0, bytes);
  }, EVERY_MS);
  const download = ben.page.waitForEvent('download', { timeout: 0 });
  const began = performance.now();
  const telling = setInterval(async () => console.log(await ann.page.getByTestId('file-text').first().textContent()), TELL_MS);
  await ben.page.getByTestId('file-question-accept').click();
  const arrived = await (await download).path();
  const seconds = (performance.now() - began) / 1_000;
  clearInterval(sampling);
  clearInterval(telling);
  console.log(`${BYTES / MEGABYTE} MB in ${seconds.toFixed(1)} s (${(BYTES / MEGABYTE / seconds).toFixed(1)} MB/s), saved included`);
  console.log((await hashOf(path)) === (await hashOf(arrived)) ? 'the same bytes' : 'DIFFERENT BYTES');
  for (const [at, name] of ['sender', 'receiver'].entries()) {
    for (const [kind, bytes] of Object.entries(highest[at])) console.log(`${name} ${kind}: ${(before[at][kind] / MEGABYTE).toFixed(0)} MB, at most ${((bytes - before[at][kind]) / MEGABYTE).toFixed(0)} MB more`);
  }
} finally {
  await Promise.all([ann, ben].map(({ context }) => context.close()));
  await server.stop();
  await rm(folder, { recursive: true });
}

async function person(name) {
  const context = await chromium.launchPersistentContext(join(folder, name), { executablePath, headless: true, acceptDownloads: true, downloadsPath: join(folder, `${name}-downloads`), args: [...FLAGS, ALONE] });
  context.setDefaultTimeout(0);
  await context.addInitScript(withoutPicker);
  const page = await context.newPage();
  await enter(page, `${server.base}/?${new URLSearchParams({ room: 'measured', name, media: 'none' })}`);
  await state(page, 'waiting', 'connected');
  return { context, page, session: await context.browser().newBrowserCDPSession() };
}

/** Proportional set size in bytes, by kind of process. */
async function memory({ session }) {
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const kinds = {};
  for (const { id, type } of processInfo) {
    const rollup = await readFile(`/proc/${id}/smaps_rollup`, 'utf8').catch(() => '');
    kinds[type] = (kinds[type] ?? 0) + Number(rollup.match(/^Pss:\s+(\d+)/m)?.[1] ?? 0) * 1_024;
  }
  return kinds;
}

async function filled(path) {
  const file = createWriteStream(path);
  for (let written = 0; written < BYTES; written += MEGABYTE) {
    if (!file.write(randomBytes(Math.min(MEGABYTE, BYTES - written)))) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
  return path;
}
