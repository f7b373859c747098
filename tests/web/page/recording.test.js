import assert from 'node:assert/strict';
import { test } from 'node:test';

import { NotRecorded, chooseFile } from '../../../web/app/recording/destination.js';
import { clockOf, fileName } from '../../../web/app/recording/file-name.js';
import { fit } from '../../../web/app/recording/fit.js';
import { formatOf, whyNot } from '../../../web/app/recording/format.js';
import { KeptRecordings, findLeftBehind, forget } from '../../../web/app/recording/kept.js';
import { Mixer } from '../../../web/app/recording/mixer.js';
import { wordsOf } from '../../../web/app/recording/note.js';
import { StoredFile } from '../../../web/app/recording/stored-file.js';
import { Beginning, durationBytes, withDuration } from '../../../web/app/recording/webm.js';
import { isKey } from '../../../web/app/languages/say.js';

const at = new Date(2026, 10, 3, 4, 5, 6);

/** Each row: the room, and its part of the file's name. */
const names = [
  ['tea', 'tea'],
  ['会議', '会議'],
  ['🍵', '🍵'],
  ['a/b\\c:d*e?f"g<h>i|j', 'a-b-c-d-e-f-g-h-i-j'],
  ['../../etc/passwd', 'etc-passwd'],
  ['..', ''],
  ['tea.', 'tea'],
  ['.hidden', 'hidden'],
  ['$(rm -rf ~)', 'rm-rf'],
  ['a\u202egnp.exe', 'a-gnp.exe'],
  ['con', 'con'],
  ['x'.repeat(200), 'x'.repeat(48)],
  ['🍵'.repeat(60), '🍵'.repeat(48)],
];
for (const [room, part] of names) {
  test(`the file of a recording in ${JSON.stringify(room.slice(0, 20))} has a name that every system takes`, () => {
    const name = fileName(room, at, 'webm');
    assert.equal(name, `signalpost-${part && `${part}-`}2026-11-03-040506.webm`);
    assert.ok(Buffer.byteLength(name) <= 255);
  });
}

test('the time of a recording has hours once there are any', () => {
  assert.deepEqual([0, 999, 7_000, 61_000, 3_600_000 + 123_000].map(clockOf), ['0:00', '0:00', '0:07', '1:01', '1:02:03']);
});

test('the format is what plays in most places, of what the browser can write', () => {
  const extension = (...known) => formatOf((type) => known.some((one) => type.startsWith(one)))?.extension;
  assert.equal(extension('video/mp4', 'video/webm'), 'mp4');
  assert.equal(extension('video/webm'), 'webm');
  assert.equal(formatOf((type) => type === 'video/webm').mimeType, 'video/webm');
  assert.equal(extension('audio/ogg'), undefined);
});

test('a browser that cannot record says why', () => {
  class MediaRecorder { static isTypeSupported = (type) => type.startsWith('video/webm'); }
  const canvas = { prototype: { captureStream() {} } };
  const browser = { isSecureContext: true, MediaRecorder, AudioContext: class {}, HTMLCanvasElement: canvas, navigator: { storage: { getDirectory() {} } } };
  assert.equal(whyNot(browser), null);
  assert.equal(whyNot({ ...browser, isSecureContext: false }), 'record-https');
  assert.equal(whyNot({ ...browser, MediaRecorder: undefined }), 'record-unsupported');
  assert.equal(whyNot({ ...browser, AudioContext: undefined }), 'record-unsupported');
  assert.equal(whyNot({ ...browser, HTMLCanvasElement: { prototype: {} } }), 'record-unsupported');
  assert.equal(whyNot({ ...browser, MediaRecorder: class { static isTypeSupported = () => false; } }), 'record-unsupported');
  assert.equal(whyNot({ ...browser, navigator: {} }), 'record-nowhere');
});

test('the browser asks for a file where it can, and the words say why nothing is recorded', async () => {
  const format = { mimeType: 'video/webm;codecs=vp8,opus', extension: 'webm' };
  const choose = (showSaveFilePicker) => chooseFile('tea.webm', format, { showSaveFilePicker });
  const failing = (name) => choose(async () => { throw new DOMException('', name); });
  const asked = [];
  assert.equal(await choose(async (options) => (asked.push(options), 'a handle')), 'a handle');
  assert.equal(asked[0].suggestedName, 'tea.webm');
  assert.deepEqual(asked[0].types, [{ accept: { 'video/webm': ['.webm'] } }]);
  assert.equal(await choose(undefined), null, 'a download');
  assert.equal(await failing('SecurityError'), null, 'a download');
  await assert.rejects(failing('AbortError'), (error) => error instanceof NotRecorded && error.key === 'record-cancelled');
  await assert.rejects(failing('NotAllowedError'), (error) => error instanceof NotRecorded && error.key === 'record-refused');
});

test('each end of a recording has words', () => {
  for (const how of ['saved', 'kept']) for (const trouble of [null, 'disk-full', 'failed', 'not-moved']) assert.ok(isKey(wordsOf(how, trouble)));
  assert.deepEqual([wordsOf('saved', null), wordsOf('kept', null), wordsOf('kept', 'not-moved')], ['record-saved', 'record-downloaded', 'record-not-moved']);
});

test('a picture fills its box, and a screen is shown whole', () => {
  const box = { x: 100, y: 50, width: 400, height: 400 };
  assert.deepEqual(fit({ width: 800, height: 400 }, box, false), { from: { x: 200, y: 0, width: 400, height: 400 }, to: box });
  assert.deepEqual(fit({ width: 800, height: 400 }, box, true), { from: { x: 0, y: 0, width: 800, height: 400 }, to: { x: 100, y: 150, width: 400, height: 200 } });
  assert.deepEqual(fit({ width: 100, height: 400 }, box, true).to, { x: 250, y: 50, width: 100, height: 400 });
});

test('a file whose worker does not load fails at once, and so does all that it is asked later', async (t) => {
  const workers = [];
  globalThis.Worker = class {
    constructor() { workers.push(this); }
    postMessage() {}
    terminate() { this.ended = true; }
  };
  t.after(() => delete globalThis.Worker);
  const file = new StoredFile('tea.webm');
  const [worker] = workers;
  const opened = assert.rejects(file.open(), { name: 'NetworkError' });
  worker.onerror();
  await opened;
  await assert.rejects(file.append(new Uint8Array(1)), { name: 'NetworkError' });
  await assert.rejects(file.close(), { name: 'NetworkError' });
  assert.equal(worker.ended, true);
});

test('what is kept in the browser is listed until it is dropped, and nonsense is not read', () => {
  const items = new Map();
  const storage = { getItem: (key) => items.get(key) ?? null, setItem: (key, value) => items.set(key, value), removeItem: (key) => items.delete(key) };
  const kept = new KeptRecordings(storage);
  assert.deepEqual(kept.all, {});
  kept.set('one.webm', null);
  kept.set('two.webm', 7);
  assert.deepEqual(new KeptRecordings(storage).all, { 'one.webm': null, 'two.webm': 7 });
  kept.drop('one.webm');
  kept.drop('two.webm');
  assert.equal(items.size, 0);
  for (const nonsense of ['{', '[]', 'null', '7', '{"a":"b"}']) {
    items.set([...items.keys()][0] ?? `signalpost:recordings:${''}`, nonsense);
    assert.deepEqual(kept.all, {});
  }
});

/** In place of the browser's storage and private storage: all these recordings are in both. */
function keeping(t, times) {
  const files = new Map(Object.keys(times).map((name) => [name, { name, size: 7 }]));
  const folder = { getFileHandle: async (name) => ({ getFile: async () => files.get(name) }), removeEntry: async (name) => files.delete(name) };
  const root = { getDirectoryHandle: async () => folder };
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { storage: { getDirectory: async () => root } } });
  t.after(() => (before ? Object.defineProperty(globalThis, 'navigator', before) : delete globalThis.navigator));
  const items = new Map();
  const kept = new KeptRecordings({ getItem: (key) => items.get(key) ?? null, setItem: (key, value) => items.set(key, value), removeItem: (key) => items.delete(key) });
  for (const [name, at] of Object.entries(times)) kept.set(name, at);
  return { files, kept };
}

test('what was downloaded is offered once more and never removed unasked, after what was not', async (t) => {
  const hour = 3_600_000;
  const { files, kept } = keeping(t, { 'long ago.webm': Date.now() - hour, 'just now.webm': Date.now(), 'unsaved.webm': null, 'gone.webm': Date.now() - hour });
  files.delete('gone.webm');
  const found = [];
  await findLeftBehind(({ name }, isDownloaded) => found.push([name, isDownloaded]), kept);
  assert.deepEqual(found, [['unsaved.webm', false], ['long ago.webm', true]]);
  assert.deepEqual([...files.keys()].sort(), ['just now.webm', 'long ago.webm', 'unsaved.webm']);
  assert.deepEqual(Object.keys(kept.all).sort(), ['just now.webm', 'long ago.webm', 'unsaved.webm']);
  await forget('long ago.webm', kept);
  assert.ok(!files.has('long ago.webm') && !('long ago.webm' in kept.all), 'the user does that');
});

// ---- WebM ----------------------------------------------------------------------------------------------------------

const element = (id, ...content) => [...id, 0x80 | content.length, ...content];
const SCALE = [0x2a, 0xd7, 0xb1];
const scale = element(SCALE, 0x0f, 0x42, 0x40);
const app = element([0x4d, 0x80], 0x41);
const ebml = element([0x1a, 0x45, 0xdf, 0xa3], 1, 2, 3);
const segment = [0x18, 0x53, 0x80, 0x67, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
const info = (...children) => element([0x15, 0x49, 0xa9, 0x66], ...children.flat());
const rest = [0x16, 0x54, 0xae, 0x6b, 0x81, 9];
const file = (...parts) => Uint8Array.from(parts.flat());

test('a file gets room for its duration, and nothing else changes', () => {
  const { bytes, durationAt } = withDuration(file(ebml, segment, info(scale, app), rest));
  bytes.set(durationBytes(3_500), durationAt);
  assert.equal(new DataView(bytes.buffer).getFloat64(durationAt), 3_500);
  const size = scale.length + app.length + 11;
  assert.deepEqual([...bytes], [
    ...ebml, ...segment, 0x15, 0x49, 0xa9, 0x66, 0x01, 0, 0, 0, 0, 0, 0, size, ...scale, ...app, 0x44, 0x89, 0x88, ...bytes.subarray(durationAt, durationAt + 8), ...rest,
  ]);
});

test('a file gets room for its duration also if its beginning comes byte by byte, and another file stays as it is', () => {
  const whole = file(ebml, segment, info(scale, app));
  const beginning = new Beginning();
  const given = [...whole].map((byte) => beginning.add(Uint8Array.of(byte)));
  assert.deepEqual(given.slice(0, -1).filter(Boolean), []);
  assert.deepEqual(given.at(-1), withDuration(whole));
  const other = new Beginning();
  assert.equal(other.add(new Uint8Array(1_000)), null);
  assert.deepEqual(other.add(new Uint8Array(100)), { bytes: new Uint8Array(1_100), durationAt: 0 });
});

/** Each row: what is unusual, and the beginning of the file. */
const unusual = [
  ['nothing', []],
  ['another format', [0, 0, 0, 0x20, 0x66, 0x74, 0x79, 0x70]],
  ['only zeros', Array(64).fill(0)],
  ['a segment with a size', [ebml, element([0x18, 0x53, 0x80, 0x67], ...info(scale))]],
  ['a duration already', [ebml, segment, info(scale, element([0x44, 0x89], 0, 0, 0, 0))]],
  ['another unit of time', [ebml, segment, info(element(SCALE, 1))]],
  ['other elements first', [ebml, segment, rest]],
  ['an end before its time', [ebml, segment, info(scale, app).slice(0, 9)]],
  ['an end in a head', [ebml, segment.slice(0, 6)]],
];
for (const [what, parts] of unusual) test(`a file with ${what} stays as it is`, () => assert.equal(withDuration(file(parts.flat())), null));

// Regression: one track that Web Audio refuses, as Firefox does if its sample rate differs, prevented the recording, or silenced all that came after it.
test('a track that cannot be mixed is left out, and said to be, once', (t) => {
  const connected = [];
  Object.assign(globalThis, {
    MediaStream: class { constructor(tracks) { this.tracks = tracks; } },
    AudioContext: class {
      state = 'running';
      createMediaStreamDestination() { return { stream: 'all' }; }
      createMediaStreamSource({ tracks: [{ id }] }) {
        if (id === 'odd') throw new DOMException('', 'NotSupportedError');
        return { connect: () => connected.push(id), disconnect: () => connected.push(`not ${id}`) };
      }
      async close() {}
    },
  });
  t.after(() => { delete globalThis.MediaStream; delete globalThis.AudioContext; });
  let lacks = 0;
  const mixer = new Mixer(() => { lacks += 1; });
  const [ann, odd, ben] = ['ann', 'odd', 'ben'].map((id) => ({ id, readyState: 'live' }));
  mixer.follow([odd, ann]);
  mixer.follow([odd, ann, ben]);
  mixer.close();
  assert.deepEqual([connected, lacks], [['ann', 'ben', 'not ann', 'not ben'], 1]);
});
