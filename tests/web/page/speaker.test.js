import assert from 'node:assert/strict';
import { test } from 'node:test';

import { meter } from '../../../web/app/devices/meter.js';
import { Preferences } from '../../../web/app/devices/preferences.js';
import { followSpeaker } from '../../../web/app/devices/speaker.js';

/** Installs globals for one test. */
function install(t, globals) {
  for (const [name, value] of Object.entries(globals)) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    t.after(() => before ? Object.defineProperty(globalThis, name, before) : delete globalThis[name]);
  }
}

// Regression: a phone call during the preview left a bar that did not move, as if nobody were heard.
test('while Web Audio is interrupted the level is not known, and it is resumed', async (t) => {
  const context = { state: 'interrupted', resumed: 0, resume: async () => { context.resumed += 1; }, close: async () => {} };
  const analyser = { fftSize: 4, getFloatTimeDomainData: (samples) => samples.fill(1) };
  const frames = [];
  install(t, {
    AudioContext: function AudioContext() { return Object.assign(context, { createAnalyser: () => analyser, createMediaStreamSource: () => ({ connect() {} }) }); },
    MediaStream: class {},
    requestAnimationFrame: (look) => frames.push(look),
    cancelAnimationFrame: () => {},
  });
  const levels = [];
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const pass = (ms) => {
    now += ms;
    frames.shift()();
    return levels.at(-1);
  };
  const end = meter({}, (level) => levels.push(level));
  const become = (state) => { context.state = state; context.onstatechange(); };
  assert.deepEqual([pass(1_000), pass(1)], [1, null]);
  become('running');
  assert.equal(pass(1), 1);
  become('suspended');
  assert.deepEqual([pass(1_000), pass(1)], [1, null]);
  end();
  assert.equal(context.resumed, 2);
});

/** A page with one video, where the headset was chosen. `changed` resolves with the speakers that were set after a change of devices. */
function chosenHeadset(t, there) {
  const played = [];
  const video = {
    muted: false,
    sinkId: '',
    async setSinkId(id) {
      if (id && !there.has(id)) throw new DOMException('', 'NotFoundError');
      if (id !== video.sinkId) played.push(id);
      video.sinkId = id;
    },
  };
  const mediaDevices = Object.assign(new EventTarget(), { enumerateDevices: async () => [...there].map((deviceId) => ({ kind: 'audiooutput', deviceId })) });
  install(t, { navigator: { mediaDevices }, document: { querySelectorAll: () => [video] }, HTMLMediaElement: { prototype: video } });
  new Preferences().set('speaker', 'headset');
  const changed = async () => {
    mediaDevices.dispatchEvent(new Event('devicechange'));
    await new Promise(setImmediate);
    return played.splice(0);
  };
  return { video, changed };
}

// Regression: the list showed the headset again when it was back, and the sound stayed where it was.
test('the chosen speaker is used again when it is back', async (t) => {
  const there = new Set(['default']);
  const { changed } = chosenHeadset(t, there);
  await followSpeaker();
  assert.deepEqual(await changed(), []);
  there.add('headset');
  assert.deepEqual([await changed(), await changed()], [['headset'], []]);
  there.delete('headset');
  assert.deepEqual(await changed(), []);
  there.add('headset');
  assert.deepEqual(await changed(), ['', 'headset'], 'the element has played there before');
});

// Regression: its absence was taken for a missing permission.
test('the chosen speaker is used again also if it is the only one', async (t) => {
  const there = new Set(['headset']);
  const { video, changed } = chosenHeadset(t, there);
  video.sinkId = 'headset';
  await followSpeaker();
  there.clear();
  assert.deepEqual(await changed(), []);
  there.add('headset');
  assert.deepEqual(await changed(), ['', 'headset']);
});

// As in browsers that ask for permission in each visit.
test('a speaker whose id becomes known is not taken for one that is back', async (t) => {
  const there = new Set();
  const { video, changed } = chosenHeadset(t, there);
  video.sinkId = 'headset';
  await followSpeaker();
  assert.deepEqual(await changed(), []);
  ['default', 'headset'].forEach((id) => there.add(id));
  assert.deepEqual(await changed(), [], 'it was there before its id was known');
});

test('a speaker that comes for the first time, with the ids, is used', async (t) => {
  const there = new Set();
  const { changed } = chosenHeadset(t, there);
  await followSpeaker();
  ['default', 'headset'].forEach((id) => there.add(id));
  assert.deepEqual(await changed(), ['headset']);
});
