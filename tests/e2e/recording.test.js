import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { accessible } from './support/axe.js';
import { drawn, heard, launch, state, videoRuns, visit } from './support/browser.js';
import { onDisk } from './support/profile.js';
import { plays, privateFile, probe, recorded, stored, withPicker, withoutPicker } from './support/recordings.js';
import { Server } from './support/server.js';

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(['--room-capacity', '3']), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

const SECONDS = 3;
const picture = (page, name) => process.env.SCREENSHOTS && page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png` });
const close = (...pages) => Promise.all(pages.map((page) => page.context().close()));
const told = (page, text) => page.getByTestId('recorders').filter({ hasText: text }).waitFor();
const untold = (page) => page.getByTestId('recorders').waitFor({ state: 'hidden' });
const words = (page, text) => page.getByTestId('record-words').filter({ hasText: text }).waitFor();

/** As if its recordings had been downloaded long ago. */
const longAgo = (page) => page.evaluate(() => {
  const key = Object.keys(localStorage).find((one) => one.includes('recordings'));
  localStorage.setItem(key, JSON.stringify(Object.fromEntries(Object.keys(JSON.parse(localStorage.getItem(key))).map((name) => [name, 1]))));
});

async function meet(room, prepare) {
  const ann = await visit(browser, server.base, { room, name: 'Ann', prepare, acceptDownloads: true });
  await state(ann, 'waiting');
  const ben = await visit(browser, server.base, { room, name: 'Ben' });
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await Promise.all([videoRuns(ann), videoRuns(ben)]);
  return [ann, ben];
}

async function saved(page, act) {
  const [download] = await Promise.all([page.waitForEvent('download'), act()]);
  return { name: download.suggestedFilename(), content: await readFile(await download.path()) };
}

test('all tiles are recorded into a file that plays; everybody is told, who comes late, too, and the end', async () => {
  const [ann, ben] = await meet('tea', withoutPicker);
  await ann.getByTestId('record').click();
  await told(ben, 'Ann is recording this call');
  await heard(ben, 'Ann is recording this call');
  assert.equal(await ann.getByTestId('recorders').isVisible(), false, 'she knows');
  await ben.locator('[data-testid=remote-tile][data-recording=true]').waitFor();
  await Promise.all([accessible(ann), accessible(ben)]);
  await picture(ann, 'recording');
  await picture(ben, 'recorded');

  const cem = await visit(browser, server.base, { room: 'tea', name: 'Cem', media: 'none' });
  await told(cem, 'Ann is recording this call');
  await recorded(ann, SECONDS);
  assert.equal(await ann.getByTestId('recording').isVisible(), true, 'while it goes on');

  const file = await saved(ann, () => ann.getByTestId('record').click());
  assert.match(file.name, /^signalpost-tea-\d{4}-\d\d-\d\d-\d{6}\.(webm|mp4)$/);
  await words(ann, `in your downloads, as ${file.name}`);
  await accessible(ann);
  await picture(ann, 'recording-saved');
  await Promise.all([untold(ben), untold(cem)]);
  await heard(ben, 'Ann has stopped recording');
  plays(await probe(file.content), SECONDS);
  // As a browser plays it, too.
  const length = await ann.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
    const video = Object.assign(document.createElement('video'), { src: URL.createObjectURL(new Blob([bytes])), muted: true });
    await new Promise((resolve, reject) => Object.assign(video, { onloadeddata: resolve, onerror: () => reject(new Error(video.error.message)) }));
    return video.duration;
  }, file.content.toString('base64'));
  assert.ok(length >= SECONDS - 0.5 && length < 600, `${length} s`);
  const again = await saved(ann, () => ann.getByTestId('record-save').click());
  assert.ok(again.content.equals(file.content));
  await close(ann, ben, cem);
});

test('one tile is recorded, without the sound of the others, into a file that the user chose; hanging up ends it properly', async () => {
  const [ann, ben] = await meet('one-tile', withPicker);
  // Her own microphone beeps, and is not to be heard.
  await ben.getByTestId('mute').click();
  await ann.locator('[data-testid=remote-tile][data-microphone=off]').waitFor();
  await ann.getByTestId('remote-tile').hover();
  await ann.getByTestId('record-tile').click();
  await told(ben, 'Ann is recording this call');
  assert.equal(await ann.getByTestId('record-tile').isVisible(), false);
  await recorded(ann, SECONDS, { silent: true });
  await ann.getByTestId('hang-up').click();
  await state(ann, 'lobby');
  await words(ann, 'The recording was saved as chosen.webm.');
  await picture(ann, 'recording-hung-up');
  await accessible(ann);
  await untold(ben);
  const found = await probe(await privateFile(ann, 'chosen.webm'));
  plays(found, SECONDS, { silent: true });
  assert.match(await ann.evaluate(() => window.suggested), /^signalpost-one-tile-/);
  assert.deepEqual(await stored(ann), [], 'it is where the user wanted it, only');
  assert.deepEqual(await ann.evaluate(() => Object.keys(localStorage).filter((key) => key.includes('recordings'))), []);
  await ann.getByTestId('record-close').click();
  await ann.getByTestId('record-note').waitFor({ state: 'hidden' });
  await close(ann, ben);
});

/** In a page: the first track that is to be mixed is refused, as Firefox refuses other sample rates. */
function refuseOne() {
  const { createMediaStreamSource } = AudioContext.prototype;
  let refused = false;
  AudioContext.prototype.createMediaStreamSource = function mixed(stream) {
    if (refused) return createMediaStreamSource.call(this, stream);
    refused = true;
    throw new DOMException('', 'NotSupportedError');
  };
}

// Regression: nothing was recorded, although the pictures and the other's voice could be.
test('a voice that the browser cannot mix is missing in the recording, and that is said to the end', async () => {
  const [ann, ben] = await meet('odd', withoutPicker);
  await ann.evaluate(refuseOne);
  await ann.getByTestId('record').click();
  await ann.getByTestId('record-lacks').filter({ hasText: 'The recording lacks the sound of at least one person' }).waitFor();
  await accessible(ann);
  await picture(ann, 'recording-lacks');
  await recorded(ann, SECONDS);
  const file = await saved(ann, () => ann.getByTestId('record').click());
  await words(ann, `in your downloads, as ${file.name}`);
  assert.ok(await ann.getByTestId('record-lacks').isVisible());
  await picture(ann, 'recording-lacked');
  await close(ann, ben);
});

test('what prevents a recording is said, and nobody is told of one', async () => {
  const [ann, ben] = await meet('no-record', withPicker);
  const press = async (says) => {
    await ann.getByTestId('record').click();
    await words(ann, says);
    assert.equal(await ann.getByTestId('recording').isVisible(), false);
    await ann.getByTestId('record-close').click();
  };
  await ann.evaluate(() => { window.pickerFails = 'AbortError'; });
  await press('because no file was chosen');
  await ann.evaluate(() => { window.pickerFails = 'NotAllowedError'; });
  await press('the browser did not allow that file');
  await ann.evaluate(() => { window.kept = window.MediaRecorder; window.MediaRecorder = undefined; });
  await press('This browser cannot record calls.');
  await ann.evaluate(() => {
    Object.assign(window, { MediaRecorder: window.kept, pickerFails: '' });
    Object.defineProperty(navigator.storage, 'getDirectory', { value: undefined });
  });
  await press('This page has nowhere to store a recording');
  // What Ben was told of a recording has arrived before this.
  await ben.evaluate(() => { window.last = new Promise((resolve) => { window.signalpost.room.on('message', ({ data }) => data?.last && resolve()); }); });
  await ann.evaluate(() => window.signalpost.room.send(null, { type: 'data', data: { last: true } }));
  await ben.evaluate(() => window.last);
  await drawn(ben);
  assert.equal(await ben.getByTestId('recorders').isVisible(), false);
  assert.equal(await ben.getByTestId('chat-entry').filter({ hasText: 'is recording' }).count(), 0);
  await close(ann, ben);
});

test('a part that does not load is said, and does not keep the next recording from starting', async () => {
  const [ann, ben] = await meet('parts', withoutPicker);
  await ann.context().route('**/writer-worker.js', (route) => route.abort());
  await ann.getByTestId('record').click();
  await words(ann, 'The recording could not be started.');
  await ann.context().unroute('**/writer-worker.js');
  await ann.context().route('**/clock-worker.js', (route) => route.abort());
  await ann.getByTestId('record').click();
  await words(ann, /ended because of an error|Nothing was recorded/);
  await ann.context().unroute('**/clock-worker.js');
  await ann.getByTestId('record').click();
  await recorded(ann, 1);
  await saved(ann, () => ann.getByTestId('record').click());
  await untold(ben);
  await close(ann, ben);
});

test('the file of a page that was left asks to be saved at the next visit, and plays; the others see that it ended', async () => {
  const [ann, ben] = await meet('left', withoutPicker);
  await ann.getByTestId('record').click();
  await told(ben, 'Ann is recording this call');
  await recorded(ann, SECONDS);
  const asked = [];
  ann.on('dialog', (dialog) => { asked.push(dialog.type()); void dialog.accept(); });
  await ann.reload();
  assert.deepEqual(asked, ['beforeunload']);
  await words(ann, 'A recording was not saved when its page was closed: signalpost-left-');
  await picture(ann, 'recording-left');
  // The page is back in the call, and does not record.
  await state(ann, 'connected');
  await untold(ben);
  const file = await saved(ann, () => ann.getByTestId('record-save').click());
  plays(await probe(file.content), SECONDS);
  await ann.reload();
  await state(ann, 'connected');
  assert.deepEqual(asked, ['beforeunload'], 'nothing is being recorded any more');
  assert.equal(await ann.getByTestId('record-note').isVisible(), false);
  // Later, it is still there: the user says that it may go.
  await longAgo(ann);
  await ann.reload();
  await words(ann, 'This browser still has a copy of the recording signalpost-left-');
  await accessible(ann);
  await picture(ann, 'recording-copy');
  assert.ok((await saved(ann, () => ann.getByTestId('record-save').click())).content.equals(file.content));
  await longAgo(ann);
  await ann.reload();
  await ann.getByTestId('record-delete').click();
  await ann.waitForFunction(() => !Object.keys(localStorage).some((key) => key.includes('recordings')));
  assert.deepEqual(await stored(ann), []);
  await close(ann, ben);
});

test('a full disk ends the recording, and what is in the file plays', async (t) => {
  const ann = await visit(await onDisk(t), server.base, { room: 'full', name: 'Ann', prepare: withoutPicker, acceptDownloads: true });
  await state(ann, 'waiting');
  const ben = await visit(browser, server.base, { room: 'full', name: 'Ben', media: 'none' });
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  const session = await ann.context().newCDPSession(ann);
  const origin = new URL(server.base).origin;
  // Chromium takes space by the megabyte.
  const { usage } = await session.send('Storage.getUsageAndQuota', { origin });
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usage + 1_500_000 });
  const file = await saved(ann, () => ann.getByTestId('record').click());
  await words(ann, 'There is no space left, so the recording has ended.');
  await untold(ben);
  const found = await probe(file.content);
  assert.ok(file.content.length > 50_000 && found.video.frames > 5, JSON.stringify(found));
  await close(ann, ben);
});
