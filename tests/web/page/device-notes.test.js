import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Emitter } from '../../../web/client/platform/emitter.js';
import { DeviceNotes } from '../../../web/app/devices/heard.js';
import { ALL_LIVE, deviceNews } from '../../../web/app/devices/news.js';

const ANN = { id: 'a', name: 'Ann', metadata: {}, order: 1 };

/** A call, with what the page says of it in the order of events. */
function listening(t, { linked }) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const room = Object.assign(new Emitter(), { peers: new Map([['a', ANN]]) });
  const call = Object.assign(new Emitter(), { links: new Map(linked ? [['a', {}]] : []) });
  const [notes, marks, devices] = [[], [], new Map()];
  const stage = { heard: ({ id }, news) => {
    const before = devices.get(id) ?? ALL_LIVE;
    devices.set(id, news);
    marks.push(news.recording === true);
    return before;
  } };
  const spoken = [];
  new DeviceNotes(room, call, { note: (key) => notes.push(key) }, stage, (text) => spoken.push(text));
  const tell = (extra, missing = []) => room.emit('message', { seq: 1, from: 'a', type: 'data', data: deviceNews(missing, [], extra) });
  const link = () => (call.links.set('a', {}), call.emit('link', { peer: ANN, state: 'connecting' }));
  return { room, call, notes, marks, spoken, tell, link, pass: (ms) => t.mock.timers.tick(ms) };
}

test('what somebody says who is not let in yet is heard when they are: the last of it, once', (t) => {
  const { tell, notes, marks, spoken, link } = listening(t, { linked: false });
  for (const on of [true, false, true]) tell({ recording: on, hand: on });
  assert.deepEqual([notes, marks, spoken], [[], [], []]);
  link();
  link();
  assert.deepEqual([notes, marks, spoken.length], [['records'], [true], 1]);
});

test('nothing is heard of somebody who has left before', (t) => {
  const { room, tell, notes, marks, link } = listening(t, { linked: false });
  tell({ recording: true });
  room.emit('peer-left', { peer: ANN, reason: 'left' });
  link();
  assert.deepEqual([notes, marks], [[], []]);
});

test('the first change is noted at once, and then at most one in some seconds; marks follow all', (t) => {
  const { tell, notes, marks, pass } = listening(t, { linked: true });
  for (let time = 0; time < 40; time += 1) tell({ recording: time % 2 === 0 });
  assert.deepEqual([notes, marks.length], [['records'], 40]);
  pass(5_000);
  assert.deepEqual(notes, ['records', 'records-no-more'], 'the chat ends with what is true');
  pass(60_000);
  tell({ recording: true });
  tell({ recording: false });
  tell({ recording: true });
  pass(60_000);
  assert.deepEqual(notes, ['records', 'records-no-more', 'records']);
});

test('a change after a while is noted at once, and none after the call', (t) => {
  const { call, tell, notes, pass } = listening(t, { linked: true });
  tell({}, ['video']);
  pass(5_000);
  tell({});
  assert.deepEqual(notes, ['camera-stopped', 'camera-works']);
  tell({ recording: true });
  call.links.clear();
  pass(5_000);
  assert.deepEqual(notes, ['camera-stopped', 'camera-works']);
});
