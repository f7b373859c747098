import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as path } from 'node:path';
import { promisify } from 'node:util';

import { PATIENCE_MS, framesDecoded } from './browser.js';
import { glance } from './glance.js';
import { Native, python } from './native.js';

const run = promisify(execFile);
const native = (name) => new URL(`../native/${name}`, import.meta.url).pathname;

/** @type {Promise<{ folder: string, file: string }> | null} */
let encoded = null;

/** What the stand-in for OBS sends: encoded once. */
async function packets() {
  const folder = await mkdtemp(path(tmpdir(), 'whip-'));
  const file = path(folder, 'packets.jsonl');
  await run(python, [native('packets.py'), file]);
  process.once('exit', () => void rm(folder, { recursive: true, force: true }));
  return { folder, file };
}

/** A stand-in for OBS, which calls until it is answered. */
export async function encoder(t, endpoint, token = '') {
  encoded ??= packets();
  const program = Native.start(process.execPath, native('encoder.js'), endpoint, (await encoded).file, token);
  t.after(() => program.end());
  return program;
}

/** A WHEP player on aiortc. */
export function player(t, endpoint, token = '') {
  const program = Native.start(python, native('on_loopback.py'), native('whep.py'), endpoint, ...(token ? [token] : []));
  t.after(() => program.end());
  return program;
}

export const endpoint = (server, room, query = '', kind = 'whip') => `${server.base}/v1/rooms/${room}/${kind}${query}`;

/** Sound that was received, in the units of `totalAudioEnergy`. */
const energy = (page) => page.evaluate(async () => {
  let sum = 0;
  for (const { pc } of window.signalpost?.call.links.values() ?? []) {
    for (const report of (await pc?.getStats())?.values() ?? []) if (report.type === 'inbound-rtp' && report.kind === 'audio') sum += report.totalAudioEnergy ?? 0;
  }
  return sum;
});

/** Waits until sound arrives that is not silence. */
export async function isAudible(page) {
  const before = await energy(page);
  for (const started = Date.now(); Date.now() - started < PATIENCE_MS; await glance()) if (await energy(page) > before + 0.001) return;
  throw new Error('silence');
}

/** Waits until no frames arrive any more. */
export async function standsStill(page) {
  for (let frames = -1, unchanged = 0; unchanged < 40; await glance()) {
    const now = await framesDecoded(page);
    unchanged = now === frames ? unchanged + 1 : 0;
    frames = now;
  }
}
