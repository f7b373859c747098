import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as path } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { PATIENCE_MS, framesDecoded, launch, say, state, visit } from './support/browser.js';
import { glance } from './support/glance.js';
import { python } from './support/native.js';
import { example, start } from './support/program.js';
import { Server } from './support/server.js';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

const onLoopback = new URL('native/on_loopback.py', import.meta.url).pathname;

/** A server, and examples/camera in a room of it. */
async function film(t, room, ...options) {
  // After a restart, the first to return creates the room, with the number of seats that it asks for, or this default.
  const server = await Server.start(['--room-capacity', '8']);
  t.after(() => server.stop());
  const camera = start(t, example('camera'), python, onLoopback, 'camera.py', server.base, room, ...options);
  await camera.printed(`in ${room} as Camera`);
  return { server, camera };
}

async function view(t, server, room, name) {
  const page = await visit(browser, server.base, { room, name, media: 'none' });
  t.after(() => page.context().close());
  return page;
}

/** Chat entries with this text. Those from before a reload are shown again. */
const entries = (page, text) => page.getByTestId('chat-entry').filter({ hasText: text });

/** Says something, and resolves with the entry that answers it. */
async function ask(page, text, answer) {
  const before = await entries(page, answer).count();
  await say(page, text);
  await entries(page, answer).nth(before).waitFor();
  return entries(page, answer).nth(before).textContent();
}

/** Resolves when ten more frames have arrived. The other viewers send none. */
async function moves(page) {
  await page.waitForFunction(() => [...document.querySelectorAll('[data-testid=remote-video]')].some(({ videoWidth }) => videoWidth > 0));
  for (const wanted = await framesDecoded(page) + 10; await framesDecoded(page) < wanted;) await glance();
}

/** Where the white bar of the test picture is. */
const bar = (page) => page.evaluate(() => {
  const [width, height] = [320, 240];
  const context = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d');
  context.drawImage([...document.querySelectorAll('[data-testid=remote-video]')].find(({ videoWidth }) => videoWidth > 0), 0, 0, width, height);
  // The other stripes are darker.
  const { data } = context.getImageData(0, 80, width, 1);
  return Array.from({ length: width }, (_, at) => at).find((at) => Math.min(data[4 * at], data[4 * at + 1], data[4 * at + 2]) > 225);
});

/** Resolves when no frame has arrived for about a second. */
async function stands(page) {
  for (let frames = -1, unchanged = 0; unchanged < 40; await glance()) {
    const now = await framesDecoded(page);
    unchanged = now === frames ? unchanged + 1 : 0;
    frames = now;
  }
}

test('camera: two pages see it move, it obeys the chat, and a page that is loaded again sees it, too', async (t) => {
  const { server, camera } = await film(t, 'garden');
  const [ann, ben] = await Promise.all(['Ann', 'Ben'].map((name) => view(t, server, 'garden', name)));
  await Promise.all([moves(ann), moves(ben)]);
  // It may be at the same place again after a whole round.
  const first = await bar(ann);
  for (const started = Date.now(); !(Math.abs(await bar(ann) - first) > 8); await moves(ann)) {
    assert.ok(Date.now() - started < PATIENCE_MS, `the bar stays at ${first}`);
  }
  assert.equal(await ann.evaluate(() => [...window.signalpost.call.links.values()].find(({ peer }) => peer.name === 'Camera')
    .pc.getSenders().some(({ track }) => track)), false, 'the page sends media to the camera');

  await Promise.all([ann, ben].map((page) => entries(page, 'a camera: write help').waitFor()));
  await ask(ann, 'help', 'snapshot: number and size');
  assert.match(await ask(ann, 'snapshot', '320x240'), /frame \d+, 320x240/);

  await ask(ann, 'pause', 'paused by Ann');
  await entries(ben, 'paused by Ann').waitFor();
  await Promise.all([stands(ann), stands(ben)]);
  const frame = async () => /frame (\d+)/.exec(await ask(ann, 'snapshot', ', paused'))[1];
  assert.equal(await frame(), await frame());
  await ask(ben, 'resume', 'resumed by Ben');
  await Promise.all([moves(ann), moves(ben)]);

  await ann.reload();
  await state(ann, 'connected');
  await moves(ann);
  await ask(ann, 'snapshot', '320x240');
  await moves(ben);

  camera.child.kill('SIGINT');
  assert.equal(await camera.ended, 0);
  await ben.waitForFunction(() => [...window.signalpost.room.peers.values()].every(({ name }) => name !== 'Camera'));
});

test('camera: the picture continues while the server restarts, and newcomers see it then', async (t) => {
  const { server, camera } = await film(t, 'yard');
  const ann = await view(t, server, 'yard', 'Ann');
  await moves(ann);
  await server.kill();
  await camera.printed('room: reconnecting');
  await moves(ann);
  const next = await server.restart();
  t.after(() => next.stop());
  await camera.printed('room: connected');
  await moves(await view(t, next, 'yard', 'Ben'));
});

test('camera: a video is repeated', async (t) => {
  const folder = await mkdtemp(path(tmpdir(), 'signalpost-camera-'));
  t.after(() => rm(folder, { recursive: true }));
  const clip = path(folder, 'clip.mp4');
  await promisify(execFile)(python, [new URL('native/clip.py', import.meta.url).pathname, clip]);
  const { server } = await film(t, 'clip', '--file', clip);
  const ann = await view(t, server, 'clip', 'Ann');
  // It has 15 frames.
  for (let round = 0; round < 4; round += 1) await moves(ann);
  assert.match(await ask(ann, 'snapshot', '160x120'), /frame \d+, 160x120/);
});

test('camera: leaves, and says so, when its device stops', async (t) => {
  // A source of FFmpeg's in the place of a device.
  const { server, camera } = await film(t, 'device', '--device', 'testsrc=size=160x120:rate=15:duration=5', '--format', 'lavfi');
  await view(t, server, 'device', 'Ann');
  await camera.printed(/^the picture has ended/);
  assert.equal(await camera.ended, 1);
});

test('camera: says why it cannot join or open its source', async (t) => {
  const { server } = await film(t, 'full', '--viewers', '0');
  const late = start(t, example('camera'), python, onLoopback, 'camera.py', server.base, 'full');
  assert.equal(await late.ended, 1);
  assert.match(late.lines.join('\n'), /taken/);
  const blind = start(t, example('camera'), python, onLoopback, 'camera.py', server.base, 'blind', '--file', 'missing.mp4');
  assert.equal(await blind.ended, 1);
  assert.match(blind.lines.join('\n'), /missing\.mp4/);
  assert.ok(blind.lines.length < 4, blind.lines.join('\n'));
});
