import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BATCH_BYTES, BATCH_MESSAGES } from '../../../web/client/wire/outbox.js';
import { JOIN, SEND, World, joined, peer, poll } from '../support/world.js';

const say = (data) => ({ type: 'data', data });
const said = (asked) => asked.body.messages.map(({ to, data }) => (to ? `${to}:${data}` : `all:${data}`));

/** The server's usual response: all accepted, with consecutive numbers. */
function accept(asked, others = ['ben', 'cem'], from = 1) {
  let seq = from;
  const receipts = asked.body.messages.flatMap(({ to }) => (to ? [to] : others).map((one) => ({ to: one, seq: seq++ })));
  return asked.answer(202, { accepted: receipts });
}

async function sitting() {
  const world = new World();
  const { room, poll: held } = await world.entered({ peers: [peer('ben'), peer('cem')] });
  const outcomes = [];
  const send = (to, data) =>
    room.send(to, say(data)).then(
      (sent) => outcomes.push(`${data} ${sent.seq}`),
      (error) => outcomes.push(`${data} ${error.slug ?? error.name}`),
    );
  return { world, room, held, send, outcomes };
}

test('what is said in one breath goes in one request, in order', async () => {
  const { world, send, outcomes } = await sitting();
  for (const data of ['a', 'b', 'c']) void send('ben', data);
  const asked = await world.asked(SEND);
  assert.deepEqual(said(asked), ['ben:a', 'ben:b', 'ben:c']);
  assert.equal(asked.headers.Authorization, 'Bearer token-of-ann');
  await accept(asked);
  assert.deepEqual(outcomes, ['a 1', 'b 2', 'c 3']);
});

test('one request at a time; what gathers meanwhile goes in the next', async () => {
  const { world, send } = await sitting();
  void send('ben', 'a');
  const first = await world.asked(SEND);
  void send('ben', 'b');
  void send('cem', 'c');
  await world.quiet();
  await accept(first);
  const second = await world.asked(SEND);
  assert.deepEqual(said(second), ['ben:b', 'cem:c']);
  assert.notEqual(second.headers['Idempotency-Key'], first.headers['Idempotency-Key']);
});

test('a message to all names nobody, and is receipted for each', async () => {
  const { world, room } = await sitting();
  const all = room.send(null, say('hello'));
  const one = room.send('ben', say('psst'));
  const asked = await world.asked(SEND);
  assert.deepEqual(asked.body.messages, [say('hello'), { to: 'ben', ...say('psst') }]);
  await accept(asked);
  assert.deepEqual(await all, { seq: null, accepted: [{ to: 'ben', seq: 1 }, { to: 'cem', seq: 2 }] });
  assert.deepEqual(await one, { seq: 3, accepted: [{ to: 'ben', seq: 3 }] });
});

test('the receipts of a mixed batch are told apart', async () => {
  const { world, room } = await sitting();
  const sent = ['ben', null, 'cem', null, 'ben'].map((to) => room.send(to, say(1)));
  await accept(await world.asked(SEND));
  const places = (await Promise.all(sent)).map(({ accepted }) => accepted.map(({ to, seq }) => `${to}${seq}`).join(' '));
  assert.deepEqual(places, ['ben1', 'ben2 cem3', 'cem4', 'ben5 cem6', 'ben7']);
});

test('a message to all with nobody there is sent for all that', async () => {
  const { world, room } = await sitting();
  const sent = room.send(null, say(1));
  await (await world.asked(SEND)).answer(202, { accepted: [] });
  assert.deepEqual(await sent, { seq: null, accepted: [] });
});

test('a batch holds no more messages than the server takes', async () => {
  const { world, send } = await sitting();
  for (let n = 0; n <= BATCH_MESSAGES; n += 1) void send('ben', n);
  const first = await world.asked(SEND);
  assert.equal(first.body.messages.length, BATCH_MESSAGES);
  await accept(first);
  assert.deepEqual(said(await world.asked(SEND)), [`ben:${BATCH_MESSAGES}`]);
});

test('nor more bytes, and bytes are not characters', async () => {
  const { world, send } = await sitting();
  const large = 'é'.repeat(BATCH_BYTES / 5);
  for (const n of [1, 2, 3]) void send('ben', large + n);
  const first = await world.asked(SEND);
  assert.equal(first.body.messages.length, 2);
  assert.ok(Buffer.byteLength(first.text) <= 256 * 1024);
});

test('a lost answer is asked for again with the same key and the same bytes', async () => {
  const { world, send, outcomes } = await sitting();
  void send('ben', 'a');
  const first = await world.asked(SEND);
  void send('ben', 'b');
  await first.cut();
  await world.clock.advance(250);
  const second = await world.asked(SEND);
  assert.equal(second.headers['Idempotency-Key'], first.headers['Idempotency-Key']);
  assert.equal(second.text, first.text);
  await accept(second);
  assert.deepEqual(outcomes, ['a 1']);
});

test('a batch that is refused for one message is taken apart, so that the others get through', async () => {
  const { world, send, outcomes } = await sitting();
  void send('ben', 'a');
  void send('gone', 'b');
  void send('cem', 'c');
  await (await world.asked(SEND)).refuse(404, 'peer-unknown');
  await accept(await world.asked(SEND), [], 1);
  await (await world.asked(SEND)).refuse(404, 'peer-unknown');
  const last = await world.asked(SEND);
  assert.deepEqual(said(last), ['cem:c']);
  await accept(last, [], 7);
  assert.deepEqual(outcomes, ['a 1', 'b peer-unknown', 'c 7']);
  void send('ben', 'd');
  void send('ben', 'e');
  assert.deepEqual(said(await world.asked(SEND)), ['ben:d', 'ben:e'], 'and later ones travel together again');
});

test('a full mailbox holds up the messages to its owner only', async () => {
  const { world, send, outcomes } = await sitting();
  void send('ben', 'a');
  await (await world.asked(SEND)).refuse(429, 'mailbox-full', {}, { 'Retry-After': '2' });
  void send('ben', 'b');
  void send('cem', 'c');
  const other = await world.asked(SEND);
  assert.deepEqual(said(other), ['cem:c']);
  await accept(other);
  await world.clock.advance(2_199);
  await world.quiet();
  await world.clock.advance(1);
  const later = await world.asked(SEND);
  assert.deepEqual(said(later), ['ben:a', 'ben:b']);
  await accept(later, [], 5);
  assert.deepEqual(outcomes, ['c 1', 'a 5', 'b 6']);
});

test('a message to all overtakes none that is held up', async () => {
  const { world, send } = await sitting();
  void send('ben', 'a');
  await (await world.asked(SEND)).refuse(429, 'mailbox-full', {}, { 'Retry-After': '2' });
  void send(null, 'b');
  void send('cem', 'c');
  await world.quiet();
  await world.clock.advance(2_200);
  assert.deepEqual(said(await world.asked(SEND)), ['ben:a', 'all:b', 'cem:c']);
});

test('a message to all that a full mailbox refuses waits whole', async () => {
  const { world, send } = await sitting();
  void send(null, 'a');
  await (await world.asked(SEND)).refuse(429, 'mailbox-full', {}, { 'Retry-After': '2' });
  void send('cem', 'b');
  await world.quiet();
  await world.clock.advance(2_200);
  assert.deepEqual(said(await world.asked(SEND)), ['all:a', 'cem:b']);
});

test('each full mailbox is waited for by itself', async () => {
  const { world, send } = await sitting();
  const refused = async (to, seconds) => {
    void send(to, to);
    await (await world.asked(SEND)).refuse(429, 'mailbox-full', {}, { 'Retry-After': seconds });
  };
  await refused('ben', '1');
  await refused('cem', '5');
  await world.clock.advance(1_100);
  assert.deepEqual(said(await world.asked(SEND)), ['ben:ben']);
});

test('a limit of the rate holds everything up', async () => {
  const { world, send } = await sitting();
  void send('ben', 'a');
  const first = await world.asked(SEND);
  await first.refuse(429, 'rate-limited', {}, { 'Retry-After': '1' });
  await world.quiet();
  await world.clock.advance(1_099);
  await world.quiet();
  await world.clock.advance(1);
  assert.equal((await world.asked(SEND)).text, first.text);
});

test('after a lost seat is taken again, sending continues with the new token', async () => {
  const { world, send, held, outcomes } = await sitting();
  void send('ben', 'a');
  const first = await world.asked(SEND);
  await first.refuse(401, 'token-invalid');
  assert.equal(held.aborted, true, 'the poll need not find out by itself');
  await (await world.asked(JOIN)).answer(201, joined({ self: peer('eve'), peers: [peer('ben')] }));
  await world.asked(poll('eve'));
  const second = await world.asked(SEND);
  assert.equal(second.headers.Authorization, 'Bearer token-of-eve');
  assert.equal(second.text, first.text);
  await accept(second);
  assert.deepEqual(outcomes, ['a 1']);
});

test('nothing is sent while the seat is being taken again', async () => {
  const { world, send, held } = await sitting();
  await held.refuse(410, 'peer-gone');
  void send('ben', 'a');
  const again = await world.asked(JOIN);
  await world.quiet();
  await again.answer(201, joined());
  assert.equal((await world.asked(SEND)).body.messages.length, 1);
});

test('the end of the room is the end of what waits', async () => {
  const { world, send, held, outcomes } = await sitting();
  void send('ben', 'a');
  await world.asked(SEND);
  await held.refuse(410, 'kicked');
  void send('ben', 'b');
  await world.quiet();
  assert.deepEqual(outcomes, ['b RoomEnded', 'a RoomEnded'].sort());
});
