import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Transfer } from '../../../web/app/files/transfer.js';
import { fileOf, offered } from '../support/files.js';

const MEGABYTE = 1024 * 1024;

test('beginnings, ends and interruptions are news, and not each part', async () => {
  const pair = await offered(fileOf(9 * MEGABYTE));
  const [sent, received] = [['ann', pair.ann], ['ben', pair.ben]].map(([, end]) => new Transfer(end.files[0], end.conversation));
  const news = { sent: [], received: [] };
  const look = () => {
    news.sent.push(sent.look(0));
    news.received.push(received.look(0));
  };
  look();
  await pair.ben.conversation.accept(pair.ben.files[0]);
  await pair.until(() => { look(); return pair.ben.files[0].received > 2 * MEGABYTE; });
  pair.wire.cut();
  look();
  pair.connect();
  await pair.run(look);
  const told = (list) => list.filter(Boolean);
  assert.deepEqual(told(news.sent), ['offered', 'accepted', 'interrupted', 'resumed', 'done']);
  assert.deepEqual(told(news.received), ['asked', 'interrupted', 'resumed', 'done']);
});

test('a connection that is interrupted and comes back by itself is news, too', async () => {
  const pair = await offered(fileOf(9 * MEGABYTE));
  const transfer = new Transfer(pair.ann.files[0], pair.ann.conversation);
  await pair.ben.conversation.accept(pair.ben.files[0]);
  await pair.until(() => pair.ben.files[0].received > 2 * MEGABYTE);
  transfer.look(0);
  pair.ann.conversation.interrupt(true);
  const told = [transfer.look(0), transfer.interrupted];
  pair.ann.conversation.interrupt(false);
  assert.deepEqual([...told, transfer.look(0)], ['interrupted', true, 'resumed']);
});
