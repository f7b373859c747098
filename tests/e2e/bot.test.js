import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { newKey } from '../../web/client/index.js';
import { binary, bot, echo, serve, visitor } from './support/bot.js';
import { enter, heard, launch, say, state } from './support/browser.js';
import { example, start } from './support/program.js';

let browser;
before(async () => { browser = await launch({ camera: false }); });
after(() => browser.close());

const view = (t, server, room, name) => visitor(t, browser, server, { room, name });

test('bot: comes after a page, and before one, and talks with both', async (t) => {
  const server = await serve(t);
  const ann = await view(t, server, 'garden', 'Ann');
  await state(ann, 'waiting');
  const program = await bot(t, server, 'garden');
  await heard(ann, 'a bot: write help');
  const ben = await view(t, server, 'garden', 'Ben');
  await heard(ben, 'a bot: write help');
  await say(ann, 'help');
  await heard(ann, 'roll 2d20: two with twenty sides');
  await say(ben, 'who');
  await heard(ben, 'Ann, Ben, Bot');
  await echo(ann, 'teapot');
  await say(ann, 'roll 3d6');
  await heard(ann, /^.*[1-6] \+ [1-6] \+ [1-6]/);
  assert.equal(await ann.evaluate(() => [...window.signalpost.call.links.values()].find(({ peer }) => peer.name === 'Bot')
    .pc.getTransceivers().length), 0, 'the bot has no media');

  program.child.kill('SIGINT');
  assert.equal(await program.ended, 0);
  await ann.waitForFunction(() => [...window.signalpost.room.peers.values()].every(({ name }) => name !== 'Bot'));
});

test('bot: talks with a page that is loaded again, and while and after the server restarts', async (t) => {
  const server = await serve(t);
  const program = await bot(t, server, 'yard');
  const ann = await view(t, server, 'yard', 'Ann');
  await echo(ann, 'first');
  await ann.reload();
  await state(ann, 'connected');
  await echo(ann, 'second');
  await server.kill();
  await program.printed('room: reconnecting');
  await echo(ann, 'third');
  const next = await server.restart();
  t.after(() => next.stop());
  await program.printed('room: connected');
  const ben = await view(t, next, 'yard', 'Ben');
  // Ben may be connected with Ann first.
  await heard(ben, 'a bot: write help');
  await echo(ben, 'fourth');
});

test('bot: talks in a sealed room, with the key from the link', async (t) => {
  const server = await serve(t);
  // One that begins like an option, as one in 64 does.
  const key = `-${newKey().slice(1)}`;
  await bot(t, server, 'attic', '--key', key);
  const context = await browser.newContext();
  t.after(() => context.close());
  const ann = await context.newPage();
  await enter(ann, `${server.base}/?room=attic&name=Ann&media=none#key=${key}`);
  await heard(ann, 'a bot: write help');
  await say(ann, 'who');
  await heard(ann, 'Ann, Bot');
});

test('bot: says why it cannot join', async (t) => {
  const server = await serve(t);
  await bot(t, server, 'full', '--others', '0');
  const late = start(t, example('bot'), binary, server.base, 'full');
  assert.equal(await late.ended, 1);
  assert.match(late.lines.join('\n'), /taken/);
  const odd = start(t, example('bot'), binary, server.base, 'odd', '--key', 'short');
  assert.equal(await odd.ended, 1);
  assert.match(odd.lines.join('\n'), /43 characters/);
});
