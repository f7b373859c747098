import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from './support/browser.js';
import { Visitor, launchFirefox } from './support/firefox.js';
import { Server } from './support/server.js';

// Firefox with itself, and with Chromium in both roles: who comes makes the offer.

let server, firefox, chromium;
before(async () => {
  [server, firefox, chromium] = await Promise.all([Server.start(['--wait-max-ms', '2000']), launchFirefox(), launch()]);
});
after(async () => { await Promise.all([firefox.close(), chromium.close()]); await server.stop(); });

const state = (visitor, wanted) => visitor.until((wanted) => document.body?.dataset.state === wanted, wanted);
const idOf = (visitor) => visitor.evaluate(() => window.signalpost.room.self.id);
const heard = (visitor, text) => visitor.until((text) => [...document.querySelectorAll('[data-testid=chat-entry]')].some((entry) => entry.textContent.includes(text)), text);
/** An element of this page is there, and is shown. */
const shown = (visitor, selector) => visitor.until((selector) => document.querySelector(selector)?.checkVisibility(), selector);
const gone = (visitor, selector) => visitor.until((selector) => !document.querySelector(selector)?.checkVisibility(), selector);

/** In a page: this video has shown so many frames since the first call. */
function runs([selector, wanted]) {
  const video = document.querySelector(selector);
  if (!video?.videoWidth) return false;
  // A reconnection may bring another element.
  if (video !== window.watched?.video) {
    const watched = { video, frames: 0 };
    const count = () => { watched.frames += 1; video.requestVideoFrameCallback(count); };
    video.requestVideoFrameCallback(count);
    window.watched = watched;
  }
  return window.watched.frames >= wanted;
}

async function pictureRuns(visitor, selector = '[data-testid=remote-video]', frames = 10) {
  await visitor.evaluate(() => { window.watched = undefined; });
  await visitor.until(runs, [selector, frames]);
}

const both = (...work) => Promise.all(work);

async function connect(room, first, second) {
  const address = (name) => `${server.base}/?${new URLSearchParams({ room, name, media: 'both' })}`;
  const ann = await Visitor.at(first, address('Ann'));
  await ann.click('join');
  await state(ann, 'waiting');
  const ben = await Visitor.at(second, address('Ben'));
  await ben.click('join');
  await both(state(ann, 'connected'), state(ben, 'connected'));
  await both(pictureRuns(ann), pictureRuns(ben));
  return [ann, ben];
}

async function chats(ann, ben) {
  await ann.say('One lump or two?');
  await heard(ben, 'One lump or two?');
  await ben.say('Two, please!');
  await heard(ann, 'Two, please!');
}

/** Mute and camera off are seen by the other; the picture comes back. */
async function mutes(one, other) {
  await one.click('mute');
  await one.click('camera-off');
  await shown(other, '[data-testid=remote-tile][data-microphone=off][data-camera=off]');
  await gone(other, '[data-testid=remote-video]');
  await one.click('camera-off');
  await shown(other, '[data-testid=remote-video]');
  await pictureRuns(other);
  await one.click('mute');
  await shown(other, '[data-testid=remote-tile][data-microphone=live][data-camera=live]');
}

/** A reload at either end keeps the seat, and what was said. */
async function refreshes(...pages) {
  for (const page of pages) {
    const before = await idOf(page);
    await page.reload();
    await both(...pages.map((one) => state(one, 'connected')));
    await both(...pages.map((one) => pictureRuns(one)));
    assert.equal(await idOf(page), before, 'another seat');
    await heard(page, 'Two, please!');
  }
}

async function shares(one, other) {
  await one.click('share-screen');
  await heard(other, 'is sharing a screen');
  await pictureRuns(other, '[data-screen=true] video');
  await pictureRuns(other);
  await one.click('share-screen');
  await gone(other, '[data-screen=true]');
  await pictureRuns(other);
}

const PAIRS = {
  'Firefox calls Firefox': () => [firefox, firefox],
  'Firefox calls Chromium': () => [chromium, firefox],
  'Chromium calls Firefox': () => [firefox, chromium],
};

for (const [who, browsers] of Object.entries(PAIRS)) {
  test(`${who}: pictures, chat, mute, a refresh at either end, shared screens, and nothing in the console`, async () => {
    const [ann, ben] = await connect(who.replaceAll(' ', '-'), ...browsers());
    await chats(ann, ben);
    await mutes(ann, ben);
    await mutes(ben, ann);
    await shares(ann, ben);
    await shares(ben, ann);
    await refreshes(ann, ben);
    await ben.click('hang-up');
    await ann.until(() => document.querySelector('[data-testid=status]').textContent.includes('Ben hung up'));
    assert.deepEqual([ann.noise, ben.noise], [[], []]);
    await both(ann.close(), ben.close());
  });
}

test('the network test runs in Firefox, and WebSockets get through', async () => {
  const page = await Visitor.at(firefox, `${server.base}/network-test`);
  await page.click('start');
  await state(page, 'done');
  const { tests, verdict } = await page.evaluate(() => window.signalpost.report);
  const grades = Object.fromEntries(tests.map(({ kind, outcome }) => [kind, outcome.grade]));
  // The 101 and the close come in one segment, on loopback.
  assert.deepEqual([grades.signaling, grades.poll, grades.upgrade], ['good', 'good', 'good'], JSON.stringify(tests));
  assert.match(verdict.words, /^Calls work only with people on this same network: no STUN server is set up/);
  assert.deepEqual(page.noise, []);
  await page.close();
});
