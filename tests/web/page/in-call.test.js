import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Extras } from '../../../web/app/devices/extras.js';
import { PushToTalk } from '../../../web/app/push-to-talk.js';
import { Loudness, Speaking, barsOf } from '../../../web/app/quality.js';
import { shortcutOf } from '../../../web/app/shortcuts.js';
import { WakeLock } from '../../../web/app/wake-lock.js';

function screen(id) {
  const track = { stopped: false, stop() { this.stopped = true; } };
  let tracks = [track];
  const removeTrack = (gone) => void (tracks = tracks.filter((one) => one !== gone));
  return { id, track, getTracks: () => [...tracks], getVideoTracks: () => [...tracks], addTrack: (more) => tracks.push(more), removeTrack };
}

function extras(open) {
  const [shared, told, failed] = [[], [], []];
  const made = new Extras(() => told.push(made.told), (error) => failed.push(error), { getDisplayMedia: open });
  made.follow({ share: (stream) => shared.push(stream?.id ?? null) });
  return { made, shared, told, failed };
}

test('a screen is shared and told, until its button or the browser ends that', async () => {
  const opened = [];
  const { made, shared, told } = extras(async () => { opened.push(screen(`s${opened.length}`)); return opened.at(-1); });
  await made.shareOrStop();
  await made.shareOrStop();
  await made.shareOrStop();
  opened[1].track.onended();
  opened[0].track.onended();
  assert.deepEqual(shared, ['s0', null, 's0', null]);
  assert.deepEqual(told, [{ screen: 's0' }, {}, { screen: 's0' }, {}]);
  assert.ok(opened.every(({ track }) => track.stopped));
});

test('a screen that is refused, or chosen when the call is over, is not shared', async () => {
  const refused = extras(async () => { throw new DOMException('', 'NotAllowedError'); });
  await refused.made.shareOrStop();
  const late = extras(async () => { late.made.close(); return (late.screen = screen('late')); });
  await late.made.shareOrStop();
  assert.deepEqual([refused.shared, refused.told, late.shared, late.told, late.screen.track.stopped], [[], [], [], [], true]);
});

test('a screen that cannot be had is said to be, unless the user changed their mind', async () => {
  /** Each row: name and message of the exception, and what is said. */
  const rows = [['NotAllowedError', 'Permission denied', []], ['NotAllowedError', 'Permission denied by system', ['NotAllowedError']], ['NotReadableError', '', ['NotReadableError']], ['AbortError', '', ['AbortError']]];
  for (const [name, message, said] of rows) {
    const { made, shared, failed } = extras(async () => { throw new DOMException(message, name); });
    await made.shareOrStop();
    assert.deepEqual([failed, shared], [said, []], message);
  }
});

test('a hand is raised and lowered', () => {
  const { made, told } = extras();
  made.raiseOrLower();
  made.raiseOrLower();
  assert.deepEqual(told, [{ hand: true }, {}]);
});

test('the key to talk switches off only what it has switched on', () => {
  let off = true;
  const turned = [];
  const talk = new PushToTalk(() => off, (on) => { turned.push(on); off = !on; });
  talk.press();
  talk.press();
  talk.release();
  talk.release();
  assert.deepEqual(turned.splice(0), [true, false]);
  off = false;
  talk.press();
  talk.release();
  assert.deepEqual(turned, [], 'the microphone was on');
  const plain = { ctrlKey: false, altKey: false, metaKey: false, repeat: false };
  assert.deepEqual([shortcutOf({ ...plain, key: 't', code: 'KeyT' }), shortcutOf({ ...plain, key: 'р', code: 'KeyH' })], ['talk', 'hand']);
});

/** Each row: loss and round-trip time, and how many bars. */
const qualities = [[null, null, 0], [0, 20, 3], [null, 300, 2], [3, 20, 2], [9, 20, 1], [0, 700, 1], [null, 100, 3]];
for (const [lossPercent, roundTripMs, bars] of qualities) test(`${lossPercent} % lost and ${roundTripMs} ms: ${bars} bars`, () => assert.equal(barsOf({ lossPercent, roundTripMs }), bars));

test('somebody speaks until a moment after the last word', () => {
  const one = new Speaking();
  assert.deepEqual([one.hear(0.01, 0), one.hear(0.3, 100), one.hear(0, 800), one.hear(0, 1_000)], [false, true, true, false]);
});

test('how loud it was is measured over all that was heard since the last look', () => {
  const report = (totalAudioEnergy, totalSamplesDuration, id = 'a') => ({ id, type: 'inbound-rtp', totalAudioEnergy, totalSamplesDuration });
  const loudness = new Loudness();
  assert.deepEqual([[report(1, 1)], [report(1.25, 2)], [report(1.25, 2)], [report(0, 0)], [{ id: 'x', type: 'codec' }], []].map((all) => loudness.of(all)), [0, 0.5, 0, 0, 0, 0]);
});

test('the screen is kept on in a call that is in view, and asked for again when it comes back', async () => {
  const heard = {};
  const page = { visibilityState: 'visible', addEventListener: (name, listener) => { heard[name] = listener; } };
  const log = [];
  const lock = new WakeLock(page, { request: async () => (log.push('on'), { release: async () => void log.push('off') }) });
  const settled = () => new Promise(setImmediate);
  lock.want(true);
  lock.want(true);
  await settled();
  page.visibilityState = 'hidden';
  heard.visibilitychange();
  page.visibilityState = 'visible';
  heard.visibilitychange();
  await settled();
  lock.want(false);
  heard.visibilitychange();
  await settled();
  assert.deepEqual(log, ['on', 'on', 'off']);
  for (const missing of [null, { request: async () => { throw new DOMException('', 'NotAllowedError'); } }]) new WakeLock(page, missing).want(true);
  await settled();
});
