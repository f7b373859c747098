import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as path } from 'node:path';
import { after, before, test } from 'node:test';

import { join } from '../../web/client/index.js';
import { answer, launch, state } from './support/browser.js';
import { example, start } from './support/program.js';
import { Server } from './support/server.js';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

/** A server whose API may be used by pages of any origin, as the lobby's page has a free port. */
async function open(t, ...flags) {
  const server = await Server.start(['--cors-origin', '*', ...flags]);
  t.after(() => server.stop());
  const folder = await mkdtemp(path(tmpdir(), 'signalpost-lobby-'));
  t.after(() => rm(folder, { recursive: true }));
  return { server, seatFile: path(folder, 'seat.json') };
}

/** examples/lobby, and the URL of its page. */
async function host(t, { server, seatFile }, ...options) {
  const program = start(t, example('lobby'), process.execPath, 'lobby.js', server.base, '--port', '0', '--seat-file', seatFile, ...options);
  const [, site] = /the page is at (.*)$/.exec(await program.printed(/the page is at/));
  return { ...program, site };
}

/** Somebody who has opened the lobby's page, and waits there or is already being sent to a room. */
async function arrive(t, site, name) {
  const context = await browser.newContext();
  t.after(() => context.close());
  await context.addInitScript(answer);
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(`${name}: ${error.stack}`));
  await page.goto(site);
  await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: 'Wait' }).click();
  return page;
}

const told = (page, text) => page.getByRole('status').filter({ hasText: text }).waitFor();
const FIRST = 'You are number 1 in the queue. One person is missing.';

/** The room to which the lobby has sent a page. */
async function sent(page) {
  await page.waitForURL(/room=pair-/);
  return new URL(page.url()).searchParams.get('room');
}

/** A member of the lobby without a page, and the messages that it has got. */
async function member(t, server, name) {
  const room = await join(server.base, 'lobby', { name, capacity: 64 });
  t.after(() => room.leave());
  const mail = [];
  const arrived = new EventTarget();
  room.on('message', (message) => { mail.push(message); arrived.dispatchEvent(new Event('mail')); });
  /** Resolves with the next message that has this member. */
  const next = async (kind) => {
    for (;;) {
      const at = mail.findIndex(({ data }) => data?.[kind]);
      if (at >= 0) return mail.splice(at, 1)[0].data[kind];
      await once(arrived, 'mail');
    }
  };
  const id = () => [...room.peers.values()].find(({ metadata }) => metadata?.lobby)?.id;
  return { room, next, want: (what = 'pair') => room.send(id(), { type: 'data', data: { want: what } }) };
}

test('lobby: four people become two pairs that talk, and a fifth waits', async (t) => {
  const place = await open(t);
  const { site } = await host(t, place);
  const ann = await arrive(t, site, 'Ann');
  await told(ann, FIRST);
  const ben = await arrive(t, site, 'Ben');
  const [first, same] = await Promise.all([sent(ann), sent(ben)]);
  assert.equal(first, same);
  const cleo = await arrive(t, site, 'Cleo');
  await told(cleo, FIRST);
  const dan = await arrive(t, site, 'Dan');
  const [second, other] = await Promise.all([sent(cleo), sent(dan)]);
  assert.equal(second, other);
  assert.notEqual(first, second);
  assert.match(first, /^pair-[0-9a-f]{32}$/);

  await Promise.all([ann, ben, cleo, dan].map((page) => page.getByTestId('media-none').check()));
  await Promise.all([ann, ben, cleo, dan].map((page) => page.getByTestId('join').click()));
  await Promise.all([ann, ben, cleo, dan].map((page) => state(page, 'connected')));
  assert.deepEqual(await ann.evaluate(() => [...window.signalpost.room.peers.values()].map(({ name }) => name)), ['Ben']);
  // Without the secret in the link nobody gets in.
  await assert.rejects(join(place.server.base, first), { slug: 'secret-missing' });

  await told(await arrive(t, site, 'Eve'), FIRST);
});

test('lobby: a person who leaves is not paired, and messages of others are not obeyed', async (t) => {
  const place = await open(t);
  const { site } = await host(t, place);
  const ann = await arrive(t, site, 'Ann');
  await told(ann, FIRST);
  await ann.getByRole('button', { name: 'Stop' }).click();
  await told(ann, 'You no longer wait.');
  const ben = await arrive(t, site, 'Ben');
  await told(ben, FIRST);

  const mallory = await member(t, place.server, 'Mallory');
  await mallory.room.send(null, { type: 'data', data: { pair: { room: 'trap', secret: 'trap-trap', seats: 2 } } });
  await mallory.want();
  const { room } = await mallory.next('pair');
  assert.equal(await sent(ben), room);
});

test('lobby: groups of three, with places in the order of arrival', async (t) => {
  const place = await open(t);
  await host(t, place, '--size', '3');
  const people = [];
  for (const name of ['Ann', 'Ben', 'Cleo']) people.push(await member(t, place.server, name));
  const [ann, ben, cleo] = people;
  await ann.want();
  assert.deepEqual(await ann.next('waiting'), { place: 1, missing: 2 });
  await ben.want();
  assert.deepEqual(await ben.next('waiting'), { place: 2, missing: 1 });
  await ann.want('nothing');
  assert.deepEqual(await ben.next('waiting'), { place: 1, missing: 2 });
  await cleo.want();
  assert.deepEqual(await cleo.next('waiting'), { place: 2, missing: 1 });
  await ann.want();
  const rooms = await Promise.all(people.map(async ({ next }) => (await next('pair')).room));
  assert.equal(new Set(rooms).size, 1);
});

test('lobby: people keep waiting while the program restarts', async (t) => {
  const place = await open(t);
  const before = await host(t, place);
  const ann = await member(t, place.server, 'Ann');
  await ann.want();
  await ann.next('waiting');
  before.child.kill('SIGKILL');
  await before.ended;
  await host(t, place);
  await ann.next('ask');
  await ann.want();
  assert.deepEqual(await ann.next('waiting'), { place: 1, missing: 1 });
  const ben = await member(t, place.server, 'Ben');
  await ben.want();
  assert.equal((await ann.next('pair')).room, (await ben.next('pair')).room);
});

test('lobby: a second program with the same seat takes over', async (t) => {
  const place = await open(t);
  const first = await host(t, place);
  await host(t, place);
  assert.equal(await first.ended, 1);
  assert.match(first.lines.join('\n'), /Another lobby.js with the same seat file has taken over/);
});

test('lobby: a page keeps waiting while the server restarts and everybody gets another id', async (t) => {
  const place = await open(t);
  const { site, printed } = await host(t, place);
  const ann = await arrive(t, site, 'Ann');
  await told(ann, FIRST);
  await place.server.kill();
  await printed(/^room: reconnecting/);
  await told(ann, 'The server does not answer.');
  const server = await place.server.restart();
  t.after(() => server.stop());
  await printed('room: connected');
  const ben = await arrive(t, site, 'Ben');
  assert.equal(await sent(ann), await sent(ben));
});

test('lobby: a page, and the program, explain that the room is full', async (t) => {
  const place = await open(t);
  const { site } = await host(t, place, '--seats', '3');
  const two = [await member(t, place.server, 'Ann'), await member(t, place.server, 'Ben')];
  assert.equal(two.length, 2);
  await told(await arrive(t, site, 'Cleo'), 'The lobby is full');

  const refused = async (text, ...options) => {
    const program = start(t, example('lobby'), process.execPath, 'lobby.js', place.server.base, '--seat-file', `${place.seatFile}-2`, ...options);
    assert.equal(await program.ended, 1);
    assert.match(program.lines.join('\n'), text);
  };
  await refused(/The room lobby is full, without this program in it/);
  await refused(/Use --seats 64, or start the server with a larger --room-capacity-max/, '--room', 'large', '--seats', '65');
});
