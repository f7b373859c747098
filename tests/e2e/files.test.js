import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { accessible } from './support/axe.js';
import { canChat, heard, launch, say, state, visit } from './support/browser.js';
import { Server } from './support/server.js';
import { choose, drop, hash, holdWrites, same, take, told, withoutPicker } from './support/transfers.js';

const MEGABYTE = 1024 * 1024;
let server, browser, folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'files-'));
  [server, browser] = await Promise.all([Server.start(['--room-capacity', '3', '--leave-grace-ms', '15000']), launch({ camera: false })]);
});
after(async () => { await browser.close(); await server.stop(); await rm(folder, { recursive: true }); });

const picture = (page, name) => process.env.SCREENSHOTS && page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png` });
const close = (...pages) => Promise.all(pages.map((page) => page.context().close()));
const card = (page) => page.getByTestId('file-question');

/** People in one room, connected with each other. */
async function people(room, names, options = {}) {
  const pages = [];
  for (const name of names) {
    pages.push(await visit(browser, `${server.base}`, { room, name, media: 'none', prepare: withoutPicker, ...options[name] }));
    await state(pages.at(-1), 'waiting', 'connected');
  }
  await Promise.all(pages.map((page) => canChat(page, names.length - 1)));
  return pages;
}

/** A file of random bytes. */
async function file(name, size) {
  const bytes = randomBytes(size);
  const path = join(folder, name);
  await writeFile(path, bytes);
  return { path, name, sha: hash(bytes) };
}

test('a file goes to one person who accepts it, by button and by drop; one that is declined does not', async () => {
  const asked = [];
  const [ann, ben] = await people('one', ['Ann', 'Ben']);
  for (const page of [ann, ben]) page.on('request', (request) => asked.push(request.url()));
  const tea = await file('tea.bin', 300_000);
  await ann.getByTestId('files').focus();
  await ann.keyboard.press('Enter');
  await ann.getByTestId('files-dialog').waitFor();
  assert.equal(await ann.getByTestId('files-why').isVisible(), false);
  await accessible(ann);
  await ann.getByTestId('files-input').setInputFiles(tea.path);
  await card(ben).waitFor();
  await heard(ben, 'Ann wants to send you tea.bin (300 kB)');
  await accessible(ben);
  await Promise.all([picture(ann, 'files-offered'), picture(ben, 'files-question')]);
  await same(await take(ben), tea);
  await Promise.all([heard(ann, 'tea.bin: Ben has received it.'), heard(ben, 'tea.bin: Complete.')]);
  await card(ben).waitFor({ state: 'detached' });
  await ben.getByTestId('files').click();
  await told(ben, 'tea.bin', 'Complete');
  await Promise.all([accessible(ann), accessible(ben)]);
  await picture(ben, 'files-done');
  const [again] = await Promise.all([ben.waitForEvent('download'), ben.getByTestId('file-save').click()]);
  await same(again, tea);
  await ben.getByTestId('file-remove').click();
  assert.equal(await ben.getByTestId('file').count(), 0);
  await Promise.all([ann, ben].map((page) => page.getByTestId('files-close').click()));

  await drop(ann, '[data-testid=remote-tile]', ['dropped.txt', 'a drop']);
  await same(await take(ben), { name: 'dropped.txt', sha: hash('a drop') });
  await drop(ann, '#stage', ['no.txt', 'no']);
  await ben.getByTestId('file-question-decline').click();
  await heard(ann, 'no.txt: Ben declined it.');
  await ann.getByTestId('files').click();
  await told(ann, 'no.txt', 'Ben declined it.');
  assert.ok(asked.some((url) => url.endsWith('/files/session.js')));
  await close(ann, ben);
});

test('nothing of this is loaded before it is used', async () => {
  const [ann, ben] = await people('unused', ['Ann', 'Ben']);
  const loaded = (page) => page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => /files\/(?!gate)|files\.css/.test(name)));
  assert.deepEqual([...await loaded(ann), ...await loaded(ben)], []);
  await close(ann, ben);
});

test('a name with direction marks and separators, an empty file, and one after the other', async () => {
  const [ann, ben] = await people('names', ['Ann', 'Ben']);
  await drop(ann, '#stage', ['../../photo\u202egpj.exe', 'not a picture'], ['empty', '']);
  await card(ben).nth(1).waitFor();
  assert.deepEqual(await ben.getByTestId('file-question-name').allTextContents(), ['_.._photogpj.exe', 'empty']);
  await same(await take(ben), { name: '_.._photogpj.exe', sha: hash('not a picture') });
  await same(await take(ben), { name: 'empty', sha: hash('') });
  await close(ann, ben);
});

test('a key that is held answers one question, and the focus goes to the next without its buttons', async () => {
  const [ann, ben] = await people('held', ['Ann', 'Ben']);
  await drop(ann, '#stage', ['one', '1'], ['two', '2'], ['three', '3']);
  await card(ben).nth(2).waitFor();
  await ben.getByTestId('file-question-accept').first().focus();
  const arrived = ben.waitForEvent('download');
  for (let times = 0; times < 4; times += 1) await ben.keyboard.down('Enter');
  await ben.keyboard.up('Enter');
  await same(await arrived, { name: 'one', sha: hash('1') });
  assert.deepEqual(await ben.getByTestId('file-question-name').allTextContents(), ['two', 'three']);
  assert.equal(await ben.evaluate(() => document.activeElement.dataset.testid), 'file-question');
  for (let times = 0; times < 4; times += 1) await ben.keyboard.down('Escape');
  await ben.keyboard.up('Escape');
  await heard(ann, 'two: Ben declined it.');
  assert.deepEqual(await ben.getByTestId('file-question-name').allTextContents(), ['three']);
  // In the list, the next button would be the one that cancels or removes it.
  await ben.getByTestId('files').click();
  await ben.getByTestId('file-accept').filter({ visible: true }).focus();
  for (let times = 0; times < 4; times += 1) await ben.keyboard.down('Enter');
  await ben.keyboard.up('Enter');
  await heard(ben, 'three: Complete.');
  assert.equal(await ben.getByTestId('file').count(), 3);
  await close(ann, ben);
});

test('more files at once than anybody is asked about: the dialog says so', async () => {
  const [ann, ben] = await people('many', ['Ann', 'Ben']);
  await ann.getByTestId('files').click();
  await ann.getByTestId('files-input').setInputFiles(Array.from({ length: 51 }, (_, at) => ({ name: `${at}`, mimeType: '', buffer: Buffer.alloc(1) })));
  await ann.getByTestId('files-problem').filter({ hasText: 'up to 50 files at once' }).waitFor();
  await heard(ann, 'up to 50 files at once');
  await accessible(ann);
  await picture(ann, 'files-many');
  await ann.getByTestId('files-input').setInputFiles([{ name: 'one', mimeType: '', buffer: Buffer.alloc(1) }]);
  await card(ben).waitFor();
  assert.equal(await ann.getByTestId('files-problem').isVisible(), false);
  assert.deepEqual(await ben.getByTestId('file-question-name').allTextContents(), ['one']);
  await close(ann, ben);
});

test('a part of the page that did not load is tried again, and the question is not lost', async () => {
  const [ann, ben] = await people('blocked', ['Ann', 'Ben']);
  await ben.route('**/files/session.js', (route) => route.abort());
  await drop(ann, '#stage', ['late.txt', 'late']);
  await heard(ben, 'Part of this page did not load');
  await ben.unroute('**/files/session.js');
  await drop(ann, '#stage', ['second.txt', 'second']);
  await card(ben).nth(1).waitFor();
  assert.deepEqual(await ben.getByTestId('file-question-name').allTextContents(), ['late.txt', 'second.txt']);
  await same(await take(ben), { name: 'late.txt', sha: hash('late') });
  await close(ann, ben);
});

test('a peer that takes only tiny messages is named as one that cannot receive files, and the page goes on', async () => {
  const prepare = () => Object.defineProperty(RTCSctpTransport.prototype, 'maxMessageSize', { get: () => 12 });
  const [ann, ben] = await people('tiny', ['Ann', 'Ben'], { Ann: { prepare } });
  await ann.getByTestId('files').click();
  await ann.getByTestId('files-why').filter({ hasText: 'Ben' }).waitFor();
  assert.ok(await ann.getByTestId('files-choose').isDisabled());
  await close(ann, ben);
});

test('to everybody of three, or to one of them', async () => {
  const [ann, ben, cem] = await people('three', ['Ann', 'Ben', 'Cem']);
  const tea = await file('all.bin', 2 * MEGABYTE);
  await choose(ann, tea.path);
  await Promise.all([card(ben), card(cem)].map((one) => one.waitFor()));
  const taken = await Promise.all([take(ben), take(cem)]);
  for (const one of taken) await same(one, tea);
  await Promise.all(['Ben', 'Cem'].map((name) => heard(ann, `all.bin: ${name} has received it.`)));
  await picture(ann, 'files-three');
  await ann.getByTestId('files-to').selectOption({ label: 'Cem' });
  const one = await file('one.bin', 10);
  await ann.getByTestId('files-input').setInputFiles(one.path);
  await same(await take(cem), one);
  assert.equal(await card(ben).count(), 0);
  await close(ann, ben, cem);
});

/** Ann sends Ben a file that is held in the middle. */
async function middle(room) {
  const [ann, ben] = await people(room, ['Ann', 'Ben'], { Ben: { prepare: holdWrites } });
  await ann.evaluate(() => {
    window.sent = 0;
    const { send } = RTCDataChannel.prototype;
    RTCDataChannel.prototype.send = function counted(data) {
      window.sent += data.byteLength ?? 0;
      return send.call(this, data);
    };
  });
  const long = await file(`${room}.bin`, 24 * MEGABYTE);
  await choose(ann, long.path);
  const download = ben.waitForEvent('download');
  download.catch(() => {});
  await ben.getByTestId('file-question-accept').click();
  await ben.waitForFunction(() => window.release);
  await ann.waitForFunction(() => document.querySelector('[data-testid=file-progress]').value > 0);
  return { ann, ben, long, download };
}

test('a connection that is replaced in the middle: the file continues where it stopped, and everything is right', async () => {
  const { ann, ben, long, download } = await middle('lost');
  await ann.evaluate(() => [...window.signalpost.call.links.values()][0].offer());
  await Promise.all([ann, ben].map((page) => heard(page, 'Interrupted.')));
  await Promise.all([ann, ben].map((page) => heard(page, 'the transfer continues.')));
  await accessible(ann);
  await picture(ann, 'files-middle');
  await ben.evaluate(() => window.release());
  await same(await download, long);
  await heard(ann, 'Ben has received it.');
  const sent = await ann.evaluate(() => window.sent);
  assert.ok(sent < 34 * MEGABYTE, `${sent} bytes for ${24 * MEGABYTE}: begun again?`);
  await close(ann, ben);
});

test('an ICE restart in the middle', async () => {
  const { ann, ben, long, download } = await middle('restarted');
  const before = await ann.evaluate(() => {
    const [{ pc }] = window.signalpost.call.links.values();
    window.before = pc;
    pc.restartIce();
    return pc.localDescription.sdp.match(/a=ice-ufrag:(.*)/)[1];
  });
  await ann.waitForFunction((ufrag) => !window.before.remoteDescription || (window.before.signalingState === 'stable' && !window.before.localDescription.sdp.includes(`a=ice-ufrag:${ufrag}`)), before);
  await ben.evaluate(() => window.release());
  await same(await download, long);
  assert.ok(await ann.evaluate(() => [...window.signalpost.call.links.values()][0].pc === window.before), 'the connection was replaced');
  await close(ann, ben);
});

test('either end cancels in the middle, and a reload says what it means', async () => {
  const first = await middle('cancelled');
  await first.ann.getByTestId('file-cancel').click();
  await first.ben.evaluate(() => window.release());
  await heard(first.ben, 'cancelled.bin: Ann cancelled it.');
  await told(first.ann, 'cancelled.bin', 'You cancelled it.');
  // What was written is gone.
  await first.ben.waitForFunction(async () => {
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('signalpost-files');
    for await (const folder of root.values()) for await (const one of folder.keys()) if (one) return false;
    return true;
  });
  await close(first.ann, first.ben);

  const { ann, ben } = await middle('reloaded');
  await ann.reload();
  await state(ann, 'connected');
  await heard(ben, 'Ann reloaded the page and must send the file again.');
  // Otherwise all of it may have arrived before the click below.
  await ben.evaluate(() => window.holdAgain());
  await choose(ann, join(folder, 'reloaded.bin'));
  await ben.getByTestId('file-question-accept').click();
  await ben.waitForFunction(() => window.release);
  await ben.getByTestId('files').click();
  await ben.getByTestId('file').first().getByTestId('file-cancel').click();
  await heard(ann, 'reloaded.bin: Ben cancelled it.');
  await close(ann, ben);
});

test('who reloads while receiving is asked again', async () => {
  const { ann, ben, long } = await middle('asked-again');
  // Otherwise all of it may have arrived before the reload.
  await ben.evaluate(() => window.releaseAndHold());
  await ben.reload();
  await state(ben, 'connected');
  await card(ben).waitFor();
  await told(ann, long.name, 'Waiting for Ben to accept.');
  const download = ben.waitForEvent('download');
  await ben.getByTestId('file-question-accept').click();
  await ben.waitForFunction(() => window.release);
  await ben.evaluate(() => window.release());
  await same(await download, long);
  await close(ann, ben);
});

test('64 MB arrive whole, while people chat', async () => {
  const [ann, ben] = await people('large', ['Ann', 'Ben']);
  const large = await file('large.bin', 64_000_000);
  await choose(ann, large.path);
  await ann.getByTestId('files-close').click();
  const download = take(ben);
  await say(ann, 'it is coming');
  await heard(ben, 'it is coming');
  await same(await download, large);
  await close(ann, ben);
});

test('it is written where the user says, and the question stays if that is cancelled', async () => {
  const prepare = () => {
    window.showSaveFilePicker = async ({ suggestedName }) => {
      if (!window.place) throw new DOMException('The user aborted a request.', 'AbortError');
      return (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true });
    };
  };
  const [ann, ben] = await people('picked', ['Ann', 'Ben'], { Ben: { prepare } });
  await drop(ann, '#stage', ['picked.txt', 'where I say']);
  await ben.getByTestId('file-question-accept').click();
  await card(ben).waitFor();
  await ben.evaluate(() => { window.place = true; });
  await ben.getByTestId('file-question-accept').click();
  await heard(ben, 'picked.txt: Saved.');
  assert.equal(await ben.evaluate(async () => (await (await (await navigator.storage.getDirectory()).getFileHandle('picked.txt')).getFile()).text()), 'where I say');
  await close(ann, ben);
});

test('too little space, and no storage at all: both are told', async () => {
  const [ann, ben] = await people('space', ['Ann', 'Ben']);
  const session = await ben.context().newCDPSession(ben);
  await session.send('Storage.overrideQuotaForOrigin', { origin: server.base, quotaSize: MEGABYTE });
  const big = await file('big.bin', 65_000_000);
  await choose(ann, big.path);
  await ben.getByTestId('file-question-accept').click();
  await Promise.all([heard(ann, 'Ben does not have enough space for it.'), heard(ben, 'There is not enough space for it on this device.')]);
  // A browser that does not know beforehand.
  await ben.evaluate(() => { StorageManager.prototype.estimate = async () => ({}); });
  await ann.getByTestId('files-input').setInputFiles([{ name: 'medium.bin', mimeType: '', buffer: Buffer.alloc(8 * MEGABYTE) }]);
  await ben.getByTestId('file-question-accept').click();
  await Promise.all([heard(ann, 'medium.bin: Ben does not have enough space for it.'), heard(ben, 'medium.bin: There is not enough space for it on this device.')]);
  await close(ann, ben);
  const [cem, dan] = await people('memory', ['Cem', 'Dan'], { Dan: { prepare: () => { delete window.showSaveFilePicker; StorageManager.prototype.getDirectory = async () => { throw new DOMException('', 'SecurityError'); }; } } });
  await choose(cem, big.path);
  await dan.getByTestId('file-question-accept').click();
  await Promise.all([heard(cem, 'browser can only receive files up to 64 MB.'), heard(dan, 'This browser can only receive files up to 64 MB here.')]);
  const small = await file('small.bin', MEGABYTE);
  await cem.getByTestId('files-input').setInputFiles(small.path);
  await same(await take(dan), small);
  await close(cem, dan);
});

test('the dialog says who cannot receive files, and that nobody is there', async () => {
  const [ann] = await people('others', ['Ann']);
  await ann.getByTestId('files').click();
  await ann.getByTestId('files-why').filter({ hasText: 'Nobody is connected yet' }).waitFor();
  assert.ok(await ann.getByTestId('files-choose').isDisabled());
  await accessible(ann);
  // A program with our client, which knows nothing of files.
  const nora = await ann.context().newPage();
  await nora.goto(`${server.base}/v1/rooms/others`);
  await nora.evaluate(async (base) => {
    const { join } = await import(`${base}/client/index.js`);
    const room = await join(base, 'others', { name: 'Nora' });
    room.call();
  }, server.base);
  // The question about her has closed the dialog.
  await state(ann, 'connected');
  await ann.getByTestId('files').click();
  await ann.getByTestId('files-why').filter({ hasText: 'These people cannot receive files: Nora' }).waitFor();
  assert.ok(await ann.getByTestId('files-choose').isDisabled());
  await picture(ann, 'files-unable');
  await close(ann);
});
