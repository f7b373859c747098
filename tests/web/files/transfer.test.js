import assert from 'node:assert/strict';
import { openAsBlob } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { WINDOW } from '../../../web/app/files/wire.js';
import { Store, bytesOf, couple, fileOf, offered } from '../support/files.js';

const MEGABYTE = 1024 * 1024;

// ---- Between two ends -------------------------------------------------------------------------------------------------

test('nothing is sent before it is accepted, and then everything in order', async () => {
  const { ann, ben, wire, run } = await offered(fileOf(3 * MEGABYTE + 5));
  assert.deepEqual([ann.states, ben.states], [['offered'], ['asked']]);
  await ben.conversation.accept(ben.files[0]);
  await run();
  assert.deepEqual([ann.states, ben.states], [['done'], ['done']]);
  assert.deepEqual(ben.stores[0].bytes, bytesOf(3 * MEGABYTE + 5));
  assert.deepEqual([ben.stores[0].closed, ben.files[0].blob.size, wire.ends[0].sent], [true, 3 * MEGABYTE + 5, []]);
});

test('an empty file arrives as well', async () => {
  const { ann, ben, run } = await offered(fileOf(0));
  await ben.conversation.accept(ben.files[0]);
  await run();
  assert.deepEqual([ann.states, ben.states, ben.stores[0].bytes.length], [['done'], ['done'], 0]);
});

test('several files are sent one after the other, whichever is accepted first', async () => {
  const { ann, ben, run } = await offered(fileOf(2 * MEGABYTE, 'a'), fileOf(10, 'b'), fileOf(300_000, 'c'));
  for (const file of [...ben.files].reverse()) await ben.conversation.accept(file);
  await run();
  assert.deepEqual(ann.states, ['done', 'done', 'done']);
  assert.deepEqual(ben.stores.map(({ bytes }) => bytes.length), [300_000, 10, 2 * MEGABYTE]);
});

test('both ends send at the same time', async () => {
  const pair = await offered(fileOf(MEGABYTE));
  pair.ben.conversation.offer([fileOf(2 * MEGABYTE, 'back')]);
  await pair.run();
  await Promise.all([pair.ben.conversation.accept(pair.ben.files[0]), pair.ann.conversation.accept(pair.ann.files[1])]);
  await pair.run();
  assert.deepEqual([pair.ann.states, pair.ben.states], [['done', 'done'], ['done', 'done']]);
});

test('what is declined is not sent', async () => {
  const { ann, ben, run } = await offered(fileOf(10));
  ben.conversation.cancel(ben.files[0]);
  await run();
  assert.deepEqual([ann.states, ben.states, ben.stores], [['over declined them'], ['over declined us'], []]);
});

for (const who of ['ann', 'ben']) {
  test(`${who} cancels in the middle: what was written is thrown away`, async () => {
    const pair = await offered(fileOf(20 * MEGABYTE));
    await pair.ben.conversation.accept(pair.ben.files[0]);
    await pair.until(() => pair.ben.files[0].stored > 0);
    pair[who].conversation.cancel(pair[who].files[0]);
    await pair.run();
    const [us, them] = [pair[who], pair[who === 'ann' ? 'ben' : 'ann']];
    assert.deepEqual([us.states, them.states, pair.ben.stores[0].aborted], [['over cancelled us'], ['over cancelled them'], true]);
  });
}

test('a receiver that writes slowly is not sent more than the window', async () => {
  const pair = await offered(fileOf(20 * MEGABYTE));
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  const store = new Store();
  const { write } = Store.prototype;
  store.write = async (bytes) => { await held; await write.call(store, bytes); };
  pair.ben.open = async () => store;
  await pair.ben.conversation.accept(pair.ben.files[0]);
  await pair.run();
  const { received, stored } = pair.ben.files[0];
  assert.ok(received <= WINDOW && received > WINDOW / 2, `${received} bytes`);
  assert.equal(stored, 0);
  release();
  await pair.run();
  assert.deepEqual([pair.ann.states, store.bytes.length], [['done'], 20 * MEGABYTE]);
});

test('a channel that is slow does not fill up', async () => {
  const pair = await offered(fileOf(20 * MEGABYTE));
  await pair.ben.conversation.accept(pair.ben.files[0]);
  let most = 0;
  await pair.run(() => { most = Math.max(most, pair.wire.ends[0].bufferedAmount); });
  assert.deepEqual(pair.ann.states, ['done']);
  assert.ok(most < 2 * MEGABYTE, `${most} bytes`);
});

// ---- Interrupted ------------------------------------------------------------------------------------------------------

test('after a lost connection it continues where it stopped, without a gap and nothing twice', async () => {
  const pair = await offered(fileOf(9 * MEGABYTE));
  const { ann, ben } = pair;
  await ben.conversation.accept(ben.files[0]);
  const starts = [];
  for (const wanted of [2, 5]) {
    await pair.until(() => ben.files[0].received > wanted * MEGABYTE);
    pair.wire.cut();
    assert.equal(ann.conversation.isInterrupted, true);
    pair.connect();
    await pair.until(() => ann.files[0].agreed);
    starts.push(ann.files[0].sent);
  }
  await pair.run();
  assert.deepEqual([ann.states, ben.states], [['done'], ['done']]);
  assert.deepEqual(ben.stores[0].bytes, bytesOf(9 * MEGABYTE));
  assert.ok(starts[0] > 2 * MEGABYTE && starts[1] > 5 * MEGABYTE, `from ${starts}`);
});

test('an offer that was not answered is made again', async () => {
  const pair = couple();
  pair.ann.conversation.offer([fileOf(10)]);
  assert.deepEqual(pair.ann.states, ['offered']);
  pair.connect();
  await pair.run();
  assert.deepEqual(pair.ben.states, ['asked']);
  pair.wire.cut();
  await pair.ben.conversation.accept(pair.ben.files[0]);
  pair.connect();
  await pair.run();
  assert.deepEqual([pair.ann.states, pair.ben.states, pair.ben.files.length], [['done'], ['done'], 1]);
});

test('what the receiver did meanwhile is told when the connection is back', async () => {
  const pair = await offered(fileOf(10, 'a'), fileOf(20, 'b'), fileOf(30, 'c'));
  const [first, second, third] = pair.ben.files;
  await pair.ben.conversation.accept(third);
  await pair.until(() => third.state === 'done');
  pair.wire.cut();
  pair.ben.conversation.cancel(first);
  pair.connect();
  await pair.run();
  assert.deepEqual(pair.ann.states, ['over declined them', 'offered', 'done']);
  assert.equal(second.state, 'asked');
});

test('a sender whose page was loaded again has to be sent for: it does not know the file any more', async () => {
  const pair = await offered(fileOf(9 * MEGABYTE));
  await pair.ben.conversation.accept(pair.ben.files[0]);
  await pair.until(() => pair.ben.files[0].stored > 0);
  pair.wire.cut();
  pair.ann = couple().ann;
  pair.connect();
  await pair.run();
  assert.deepEqual([pair.ben.states, pair.ben.stores[0].aborted], [['over gone them'], true]);
});

test('a receiver whose page was loaded again is asked again, and begins anew', async () => {
  const pair = await offered(fileOf(3 * MEGABYTE));
  await pair.ben.conversation.accept(pair.ben.files[0]);
  await pair.until(() => pair.ben.files[0].stored > 0);
  pair.wire.cut();
  pair.ben = couple().ben;
  pair.connect();
  await pair.run();
  assert.deepEqual(pair.ben.states, ['asked']);
  await pair.ben.conversation.accept(pair.ben.files[0]);
  await pair.run();
  assert.deepEqual(pair.ben.stores[0].bytes, bytesOf(3 * MEGABYTE));
  assert.deepEqual(pair.ann.states, ['done']);
});

test('a peer that leaves ends everything', async () => {
  const pair = await offered(fileOf(9 * MEGABYTE), fileOf(10));
  await pair.ben.conversation.accept(pair.ben.files[0]);
  await pair.until(() => pair.ben.files[0].stored > 0);
  for (const { conversation } of [pair.ann, pair.ben]) conversation.close();
  assert.deepEqual([pair.ann.states, pair.ben.states], [['over left them', 'over left them'], ['over left them', 'over left them']]);
});

// ---- What goes wrong --------------------------------------------------------------------------------------------------

for (const [name, why] of [['QuotaExceededError', 'space'], ['NotReadableError', 'disk'], ['TooLarge', 'too-large']]) {
  test(`${name} while it is opened or written: both are told ${why}`, async () => {
    const failing = Object.assign(new Store(), { fails: name });
    for (const open of [async () => failing, async () => { throw Object.assign(new Error(), { name }); }]) {
      const pair = await offered(fileOf(2 * MEGABYTE));
      pair.ben.open = open;
      await pair.ben.conversation.accept(pair.ben.files[0]);
      await pair.run();
      assert.deepEqual([pair.ann.states, pair.ben.states], [[`over ${why} them`], [`over ${why} us`]]);
    }
    assert.ok(failing.aborted);
  });
}

test('a user who does not choose where to save it is still asked', async () => {
  const pair = await offered(fileOf(10));
  pair.ben.open = async () => { throw Object.assign(new Error(), { name: 'AbortError' }); };
  await pair.ben.conversation.accept(pair.ben.files[0]);
  await pair.run();
  assert.deepEqual([pair.ann.states, pair.ben.states], [['offered'], ['asked']]);
});

test('an offer that is withdrawn while the user chooses where to save it leaves nothing', async () => {
  const pair = await offered(fileOf(10));
  let chosen;
  pair.ben.open = () => new Promise((resolve) => { chosen = resolve; });
  const accepted = pair.ben.conversation.accept(pair.ben.files[0]);
  pair.ann.conversation.cancel(pair.ann.files[0]);
  await pair.run();
  chosen(new Store());
  await accepted;
  assert.deepEqual([pair.ben.states, pair.ben.stores[0].aborted], [['over cancelled them'], true]);
});

test('where files cannot be read into the same memory, they are read otherwise', async () => {
  const source = fileOf(3 * MEGABYTE);
  const { slice } = source;
  source.slice = (...range) => Object.assign(slice.apply(source, range), { stream: () => new ReadableStream() });
  const pair = await offered(source);
  await pair.ben.conversation.accept(pair.ben.files[0]);
  await pair.run();
  assert.deepEqual([pair.ann.states, pair.ben.stores[0].bytes], [['done'], bytesOf(3 * MEGABYTE)]);
});

test('a block that is read in pieces is put together', async () => {
  const bytes = bytesOf(700_001);
  const source = fileOf(700_001);
  source.slice = (from) => ({ stream() {
    let at = from;
    return new ReadableStream({ type: 'bytes', pull(controller) {
      const { view } = controller.byobRequest;
      const piece = bytes.subarray(at, at + Math.min(10_007, view.byteLength));
      new Uint8Array(view.buffer, view.byteOffset).set(piece);
      at += piece.length;
      controller.byobRequest.respond(piece.length);
    } });
  } });
  const pair = await offered(source);
  await pair.ben.conversation.accept(pair.ben.files[0]);
  await pair.run();
  assert.deepEqual([pair.ann.states, pair.ben.stores[0]?.bytes], [['done'], bytes]);
});

test('a file that can no longer be read is withdrawn', async () => {
  const path = join(await mkdtemp(join(tmpdir(), 'source-')), 'source');
  await writeFile(path, bytesOf(3 * MEGABYTE));
  const pair = await offered(Object.assign(await openAsBlob(path), { name: 'source' }));
  await pair.ben.conversation.accept(pair.ben.files[0]);
  await pair.until(() => pair.ben.files[0].received > MEGABYTE);
  await writeFile(path, 'shorter');
  await pair.run();
  await rm(dirname(path), { recursive: true });
  assert.deepEqual([pair.ann.states, pair.ben.states], [['over unreadable us'], ['over unreadable them']]);
});
