import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as path } from 'node:path';
import { promisify } from 'node:util';

import { addressOf, commands } from '../../../web/app/whip/lines.js';
import { PATIENCE_MS } from './browser.js';
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
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return { folder, file };
}

/**
 * A stand-in for OBS, which calls until it is answered.
 *
 * @param {(...command: string[]) => string[]} [on] the command line that runs it on another host
 */
export async function encoder(t, endpoint, token = '', on = (...command) => command) {
  encoded ??= packets();
  const command = on(process.execPath, native('encoder.js'), endpoint, (await encoded).file, token);
  const program = Native.start(...command);
  t.after(() => program.end());
  return program;
}

const shownCommand = (wanted, base, room) => commands(addressOf(`${base}/`, room, 'whip', { name: wanted }), '').find(({ program }) => program === wanted).command;

/** The command that the page shows for whipclientsink. */
export const whipClientSink = (base, room) => shownCommand('GStreamer', base, room);

/** simple-whip-client: the command that the page shows, with a small picture. */
export function whipClient(base, room) {
  const command = shownCommand('simple-whip-client', base, room);
  const small = command.replace('! videoconvert', '! video/x-raw,width=320,height=180,framerate=15/1 ! videoconvert');
  assert.notEqual(small, command);
  return small;
}

/** @type {Promise<string> | null} */
let stub = null;

/** The environment in which Debian 12's simple-whip-client runs (docs/whip-encoders.md). */
export async function noUpnp() {
  stub ??= (async () => {
    const folder = await mkdtemp(path(tmpdir(), 'no-upnp-'));
    await run('cc', ['-shared', '-fPIC', '-Wl,-soname,libgupnp-igd-1.0.so.4', '-o', path(folder, 'libgupnp-igd-1.0.so.4'), native('no-upnp.c')]);
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    return folder;
  })();
  return { LD_LIBRARY_PATH: await stub };
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

/** What the page's connections have received of sound. */
const soundOf = (page) => page.evaluate(async () => {
  const links = [...window.signalpost.call.links.values()];
  return Promise.all(links.map(async ({ pc }) => [pc.connectionState, ...[...(await pc.getStats()).values()].filter(({ type, kind }) => type === 'inbound-rtp' && kind === 'audio')]));
});

/** Waits until sound arrives that is not silence. */
export async function isAudible(page) {
  const before = await energy(page);
  for (const started = Date.now(); Date.now() - started < PATIENCE_MS; await glance()) if (await energy(page) > before + 0.001) return;
  throw new Error(`silence: ${JSON.stringify(await soundOf(page))}`);
}

const DECLINED = 'Everybody in the room has declined.';

/** Waits for the answer that everybody there has declined. Before it, a page that is slow may not have answered in time. */
export async function declined(program, status) {
  for (let tries = 1; ; tries += 1) {
    const answer = await program.next('answer');
    const { detail } = JSON.parse(answer.text);
    if (tries < 5 && detail !== DECLINED) continue;
    assert.deepEqual([answer.status, detail], [status, DECLINED]);
    return;
  }
}

/** What the page has received of its one picture: its source, the sender's time of the last frame that was shown (90 kHz), and all frames. */
const shown = (page) => page.evaluate(async () => {
  const [{ pc }] = window.signalpost.call.links.values();
  const receiver = pc.getReceivers().find(({ track }) => track.kind === 'video');
  const [{ source, rtpTimestamp } = {}] = receiver.getSynchronizationSources();
  const { framesDecoded } = [...(await receiver.getStats()).values()].find(({ type }) => type === 'inbound-rtp');
  return { source, rtpTimestamp, framesDecoded };
});

const MINUTE_MS = 60_000;

/** Waits until the picture has run for a minute of the sender's time, with a frame or more for each second of it. */
export async function runsForAMinute(page) {
  let first = await shown(page);
  for (const started = Date.now(); first.source === undefined; first = await shown(page)) {
    assert.ok(Date.now() - started < PATIENCE_MS, 'a picture is there');
    await glance();
  }
  let last = first;
  const length = () => ((last.rtpTimestamp - first.rtpTimestamp) >>> 0) / 90;
  for (const started = Date.now(); length() < MINUTE_MS; await glance()) {
    const now = await shown(page);
    if (now.source !== undefined) last = now;
    assert.equal(last.source, first.source, 'it is still the same picture');
    assert.ok(Date.now() - started < MINUTE_MS + PATIENCE_MS, `of a minute ${length()} ms were shown`);
  }
  assert.ok(last.framesDecoded - first.framesDecoded > 60, `${last.framesDecoded - first.framesDecoded} frames in a minute`);
}
