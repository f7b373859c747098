import assert from 'node:assert/strict';
import { test } from 'node:test';

import { deviceNews, newsOf, offOf, readDeviceNews } from '../../../web/app/devices/news.js';
import { DeviceTeller } from '../../../web/app/devices/teller.js';

test('the others are told in words that earlier pages understand', () => {
  assert.deepEqual(deviceNews([]), { media: { camera: 'live', microphone: 'live' } });
  assert.deepEqual(deviceNews(['video'], ['audio', 'video']), { media: { camera: 'missing', microphone: 'live', off: ['camera', 'microphone'] } });
});

test('only what pages say of their devices is taken for that', () => {
  const media = { camera: 'missing', microphone: 'live' };
  assert.deepEqual(readDeviceNews({ media: { ...media, more: 1 } }), media);
  assert.deepEqual(readDeviceNews({ media: { ...media, off: ['camera', 'microphone', 'smell', 7] } }), { camera: 'off', microphone: 'off' });
  for (const off of [null, 'camera', {}, 7]) assert.deepEqual(readDeviceNews({ media: { ...media, off } }), media);
  for (const other of [null, undefined, 'media', 7, [], {}, { media: null }, { media: { camera: 'missing' } }, { media: { camera: 'x', microphone: 'live' } }, { media: { camera: 'off', microphone: 'live' } }]) {
    assert.equal(readDeviceNews(other), null);
  }
});

test('a shared screen and a raised hand are told, and left out otherwise', () => {
  assert.deepEqual(deviceNews([], [], { screen: 'id', hand: true }), { media: { camera: 'live', microphone: 'live', screen: 'id', hand: true } });
  assert.deepEqual(deviceNews([], [], { hand: false }), { media: { camera: 'live', microphone: 'live' } });
  const live = { camera: 'live', microphone: 'live' };
  assert.deepEqual(readDeviceNews({ media: { ...live, screen: 'id', hand: true } }), { ...live, screen: 'id', hand: true });
  for (const extra of [{ screen: 7, hand: 'yes' }, { screen: '', hand: 1 }, { screen: null }]) assert.deepEqual(readDeviceNews({ media: { ...live, ...extra } }), live);
  assert.deepEqual(newsOf('Ann', live, { ...live, screen: 'id', hand: true }), { log: ['shares'], spoken: ['Ann has raised their hand'] });
  assert.deepEqual(newsOf('Ann', { ...live, screen: 'id', hand: true }, live), { log: ['shares-no-more'], spoken: ['Ann has lowered their hand'] });
});

test('muting is spoken, and a device that stops is written down', () => {
  const live = { camera: 'live', microphone: 'live' };
  assert.deepEqual(newsOf('Ann', live, { ...live, microphone: 'off' }), { log: [], spoken: ['Ann’s microphone is off'] });
  assert.deepEqual(newsOf('Ann', { ...live, camera: 'off' }, live), { log: [], spoken: ['Ann’s camera is on'] });
  assert.deepEqual(newsOf('Ann', live, { ...live, camera: 'missing' }), { log: ['camera-stopped'], spoken: [] });
  assert.deepEqual(newsOf('Ann', { ...live, camera: 'missing' }, live), { log: ['camera-works'], spoken: [] });
  assert.deepEqual([offOf(live), offOf({ camera: 'off', microphone: 'off' })], ['', 'muted, camera off']);
});

test('who records is told and noted, beginning and end, and only true is true', () => {
  const live = { camera: 'live', microphone: 'live' };
  assert.deepEqual(deviceNews([], [], { recording: true }), { media: { ...live, recording: true } });
  assert.deepEqual(readDeviceNews({ media: { ...live, recording: true, hand: true } }), { ...live, recording: true, hand: true });
  for (const nonsense of [false, 'true', 1, null, {}]) assert.deepEqual(readDeviceNews({ media: { ...live, recording: nonsense } }), live);
  assert.deepEqual(newsOf('Ann', live, { ...live, recording: true }), { log: ['records'], spoken: [] });
  assert.deepEqual(newsOf('Ann', { ...live, recording: true }, live), { log: ['records-no-more'], spoken: [] });
});

// Regression: after a reload of the page that had raised a hand, the others saw it up for good.
test('a page that was reloaded tells that all is well again', () => {
  const items = new Map();
  const storage = { getItem: (key) => items.get(key) ?? null, setItem: (key, value) => items.set(key, value) };
  const page = (extra) => {
    const heard = {};
    const sent = [];
    const links = new Map([['ben', { peer: { id: 'ben' }, state: 'connected' }]]);
    const on = (name, listener) => { heard[name] = listener; };
    new DeviceTeller({ on, send: async (to, { data }) => void sent.push(data.media) }, { on, links }, () => ({ missing: [], off: [], extra }), storage).tell();
    return sent;
  };
  assert.deepEqual(page({}), [], 'nothing was ever told');
  assert.deepEqual(page({ recording: true }), [{ camera: 'live', microphone: 'live', recording: true }]);
  assert.deepEqual(page({}), [{ camera: 'live', microphone: 'live' }]);
});

test('each peer is told once it is connected, again after its page was reloaded, and not without need', () => {
  const heard = {};
  const on = (name, listener) => { heard[name] = listener; };
  const sent = [];
  const links = new Map();
  const device = { missing: [], off: [] };
  const teller = new DeviceTeller({ on, send: async (to, { data }) => void sent.push([to, data.media.off ?? []]) }, { on, links }, () => device);
  const link = (id, state) => { links.set(id, { peer: { id }, state }); heard.link({ peer: { id }, state }); };
  link('ben', 'connecting');
  link('ben', 'connected');
  assert.deepEqual(sent.splice(0), [], 'all is well');
  device.off = ['audio'];
  teller.tell();
  teller.tell();
  assert.deepEqual(sent.splice(0), [['ben', ['microphone']]]);
  link('cleo', 'connecting');
  assert.deepEqual(sent.splice(0), []);
  link('cleo', 'connected');
  assert.deepEqual(sent.splice(0), [['cleo', ['microphone']]]);
  link('ben', 'connecting');
  device.off = [];
  link('ben', 'connected');
  assert.deepEqual(sent.splice(0), [['ben', []], ['cleo', []]]);
});
