import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { example, start } from './support/program.js';
import { framesDecoded, launch, say, state, visit } from './support/browser.js';
import { glance } from './support/glance.js';
import { python } from './support/native.js';
import { Server } from './support/server.js';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

const onLoopback = new URL('native/on_loopback.py', import.meta.url).pathname;

/** A server, and examples/camera in a room of it. */
async function film(t, room, ...options) {
  // After a restart, whoever returns first creates the room: it then has as many seats as that page asks for, or this.
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

/** What is on the screen, as a small picture. */
const pixels = (page) => page.evaluate(() => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 48 });
  canvas.getContext('2d').drawImage([...document.querySelectorAll('[data-testid=remote-video]')].find(({ videoWidth }) => videoWidth > 0), 0, 0, 64, 48);
  return canvas.toDataURL();
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
  const first = await pixels(ann);
  await moves(ann);
  assert.notEqual(await pixels(ann), first, 'the picture does not change');
  assert.equal(await ann.evaluate(() => [...window.signalpost.call.links.values()].find(({ peer }) => peer.name === 'Camera')
    .pc.getSenders().some(({ track }) => track)), false, 'the page sends media to the camera');

  await entries(ann, 'a camera: write help').waitFor();
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

test('camera: the picture goes on while the server restarts, and newcomers see it then', async (t) => {
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
