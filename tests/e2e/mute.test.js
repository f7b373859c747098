import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { accessible } from './support/axe.js';
import { framesDecoded, heard, launch, say, state, videoRuns, visit } from './support/browser.js';
import { Server } from './support/server.js';

// Regressions: people who had joined muted came back from a refresh with an open microphone, nobody saw that another was muted, and the
// camera's light stayed on while the camera was off.

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

/** For `addInitScript`: remembers what was opened. */
function remember() {
  window.opened = [];
  const { getUserMedia } = MediaDevices.prototype;
  MediaDevices.prototype.getUserMedia = async function open(wanted) {
    const stream = await getUserMedia.call(this, wanted);
    window.opened.push(...stream.getTracks());
    return stream;
  };
}

const cameras = (page) => page.evaluate(() => window.opened.filter(({ kind }) => kind === 'video').map(({ readyState }) => readyState));
const microphones = (page) => page.evaluate(() => window.opened.filter(({ kind }) => kind === 'audio').map(({ enabled }) => enabled));
const tile = (page) => page.getByTestId('remote-tile');
/** The tile shows an avatar instead of a picture, and a microphone that is crossed out. */
async function seenAsOff(page) {
  await page.locator('[data-testid=remote-tile][data-camera=off][data-microphone=off]').waitFor();
  await page.getByTestId('remote-video').waitFor({ state: 'hidden' });
  await tile(page).locator('.mark').waitFor();
  assert.match(await tile(page).textContent(), /Ann \(muted, camera off\)/);
}

test('mute and camera off free the camera, are seen and heard by the others, and last until they are undone', async () => {
  const ann = await visit(browser, server.base, { room: 'mute', name: 'Ann', prepare: remember });
  await state(ann, 'waiting');
  const ben = await visit(browser, server.base, { room: 'mute', name: 'Ben' });
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await videoRuns(ben);
  const spoken = (text) => ben.getByTestId('spoken-devices').filter({ hasText: text }).waitFor();

  await ann.getByTestId('mute').click();
  await spoken('Ann’s microphone is off');
  await ann.getByTestId('camera-off').click();
  await spoken('Ann’s camera is off');
  await seenAsOff(ben);
  assert.deepEqual([await cameras(ann), await microphones(ann)], [['ended'], [false]]);
  await ann.getByTestId('local-video').waitFor({ state: 'hidden' });
  assert.match(await ann.getByTestId('local-tile').textContent(), /You \(muted, camera off\)/);
  await Promise.all([accessible(ann), accessible(ben)]);
  if (process.env.SCREENSHOTS) await ben.screenshot({ path: `${process.env.SCREENSHOTS}/muted.png` });

  // A reload, at either end.
  for (const page of [ann, ben]) {
    await page.reload();
    await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
    await seenAsOff(ben);
  }
  assert.deepEqual([await cameras(ann), await microphones(ann)], [[], [false]]);

  await ann.getByTestId('hang-up').click();
  await state(ann, 'lobby');
  await ann.getByTestId('room').fill('mute');
  await ann.getByTestId('join').click();
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await seenAsOff(ben);
  assert.deepEqual([await cameras(ann), (await microphones(ann)).at(-1)], [[], false]);

  await ann.getByTestId('camera-off').filter({ hasText: 'Camera on' }).click();
  await spoken('Ann’s camera is on');
  await ann.getByTestId('mute').filter({ hasText: 'Unmute' }).waitFor();
  await ann.keyboard.press('m');
  await spoken('Ann’s microphone is on');
  await ben.getByTestId('remote-video').waitFor({ state: 'visible' });
  await videoRuns(ben);
  await tile(ben).locator('.mark').waitFor({ state: 'hidden' });
  assert.equal((await microphones(ann)).at(-1), true);
  await Promise.all([ann, ben].map((page) => page.context().close()));
});

test('a person who only chats is sent no picture and no sound, until a microphone or a camera is added', async () => {
  const ann = await visit(browser, server.base, { room: 'chat-only', name: 'Ann' });
  await state(ann, 'waiting');
  const ben = await visit(browser, server.base, { room: 'chat-only', name: 'Ben', media: 'chat', prepare: remember });
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  const directions = (page) => page.evaluate(() => [...window.signalpost.call.links.values()].flatMap(({ pc }) => pc.getTransceivers().map(({ currentDirection }) => currentDirection)));
  const become = (page, wanted) => page.waitForFunction((wanted) => {
    const now = [...window.signalpost.call.links.values()].flatMap(({ pc }) => pc.getTransceivers().map(({ currentDirection }) => currentDirection));
    return now.length === 2 && now.every((direction) => wanted.includes(direction));
  }, wanted);
  await become(ann, ['inactive']);
  assert.deepEqual(await directions(ben), ['inactive', 'inactive']);
  await say(ben, 'I am on a train');
  await heard(ann, 'I am on a train');
  assert.equal(await framesDecoded(ben), 0);
  await ben.getByTestId('mute').filter({ hasText: 'Unmute' }).click();
  await become(ann, ['sendrecv', 'sendonly']);
  await videoRuns(ben);
  assert.deepEqual([await microphones(ben), await cameras(ben)], [[true], []]);
  await ben.getByTestId('camera-off').filter({ hasText: 'Camera on' }).click();
  await videoRuns(ann);
  await Promise.all([ann, ben].map((page) => page.context().close()));
});
