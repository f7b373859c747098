import assert from 'node:assert/strict';
import { test } from 'node:test';

import { choicesFor, offered } from '../../../web/app/devices/choices.js';
import { Equipment } from '../../../web/app/devices/equipment.js';
import { openMedia } from '../../../web/app/devices/media.js';
import { howToAllow } from '../../../web/app/devices/allow.js';
import { levelOf, meter } from '../../../web/app/devices/meter.js';
import { optionsOf } from '../../../web/app/devices/options.js';
import { Preferences } from '../../../web/app/devices/preferences.js';
import { Switches } from '../../../web/app/devices/switches.js';
import { watchTrack } from '../../../web/app/devices/watch.js';
import { describe, explain } from '../../../web/app/devices/words.js';

class Track extends EventTarget {
  enabled = true;
  readyState = 'live';
  constructor(kind, deviceId) { super(); Object.assign(this, { kind, deviceId }); }
  getSettings() { return { deviceId: this.deviceId }; }
  stop() { this.readyState = 'ended'; }
}

class Stream {
  constructor(tracks) { this.tracks = tracks; }
  getTracks() { return [...this.tracks]; }
  addTrack(track) { this.tracks.push(track); }
  removeTrack(track) { this.tracks = this.tracks.filter((one) => one !== track); }
}

/** Devices, some of which cannot be opened: `refuse` says why. */
function devices(refuse = () => null) {
  const asked = [];
  const getUserMedia = async (constraints) => {
    const kinds = Object.keys(constraints);
    asked.push(kinds.join(' '));
    const idOf = (kind) => constraints[kind].deviceId?.exact ?? constraints[kind].deviceId ?? `${kind}-1`;
    const name = kinds.map((kind) => refuse(kind, asked.length, idOf(kind))).find(Boolean);
    if (name) throw new DOMException('', name);
    return new Stream(kinds.map((kind) => new Track(kind, idOf(kind))));
  };
  return { asked, getUserMedia };
}

// ---- Opening -----------------------------------------------------------------------------------------------------

const BOTH = ['audio', 'video'];
const refusing = (why) => (kind) => why[kind];

/** Each row: why devices cannot be opened, permissions, what is asked for, what is opened, and what is not. */
const openings = [
  ['both work', {}, {}, ['audio video'], BOTH, {}],
  ['there is no camera', { video: 'NotFoundError' }, {}, ['audio video', 'audio', 'video'], ['audio'], { video: 'NotFoundError' }],
  ['there is no microphone', { audio: 'NotFoundError' }, {}, ['audio video', 'audio', 'video'], ['video'], { audio: 'NotFoundError' }],
  ['the camera is in use', { video: 'NotReadableError' }, {}, ['audio video', 'audio', 'video'], ['audio'], { video: 'NotReadableError' }],
  ['the user refuses', { audio: 'NotAllowedError', video: 'NotAllowedError' }, { audio: 'prompt', video: 'prompt' }, ['audio video'], [], { audio: 'NotAllowedError', video: 'NotAllowedError' }],
  ['the browser does not tell who refused', { video: 'NotAllowedError' }, {}, ['audio video'], [], { audio: 'NotAllowedError', video: 'NotAllowedError' }],
  ['the camera is denied', { video: 'NotAllowedError' }, { audio: 'granted', video: 'denied' }, ['audio video', 'audio'], ['audio'], { video: 'NotAllowedError' }],
  ['the microphone is denied, and nothing said of the camera', { audio: 'NotAllowedError' }, { audio: 'denied', video: 'prompt' }, ['audio video', 'video'], ['video'], { audio: 'NotAllowedError' }],
];
for (const [what, why, permissions, asked, opened, failures] of openings) {
  test(`${what}: ${opened.join(' and ') || 'nothing'} is opened`, async () => {
    const all = devices(refusing(why));
    const media = await openMedia(BOTH, all, async (kind) => permissions[kind]);
    assert.deepEqual([all.asked, Object.fromEntries(media.failures)], [asked, failures]);
    assert.deepEqual(media.streams.flatMap((stream) => stream.getTracks().map(({ kind }) => kind)), opened);
  });
}

test('nothing is asked for that is not wanted, and nothing where pages get no devices', async () => {
  const all = devices();
  assert.deepEqual((await openMedia([], all, async () => undefined)).streams, []);
  assert.deepEqual(all.asked, []);
  assert.deepEqual(Object.fromEntries((await openMedia(['audio'], {}, async () => undefined)).failures), { audio: 'Insecure' });
});

// ---- Words -------------------------------------------------------------------------------------------------------

const start = (error, more) => ({ why: 'start', error, deviceId: null, ...more });

/** Each row: what is missing, what was wanted, and what is said. */
const lacks = [
  [{ video: start('NotFoundError') }, BOTH, 'No camera was found. Others can hear you but not see you.'],
  [{ audio: start('NotFoundError') }, BOTH, 'No microphone was found. Others can see you but not hear you.'],
  [{ audio: start('NotFoundError'), video: start('NotFoundError') }, BOTH, 'No camera or microphone was found. You can still watch and chat.'],
  [{ audio: start('NotReadableError'), video: start('NotReadableError') }, BOTH, 'Camera and microphone are in use by another program. You can still watch and chat.'],
  [{ audio: start('NotAllowedError', { permission: 'denied' }), video: start('NotAllowedError', { permission: 'denied' }) }, BOTH, 'Camera and microphone are not allowed for this page. You can allow them in the browser’s settings for this site. You can still watch and chat.'],
  [{ audio: start('NotAllowedError') }, ['audio'], 'The microphone is not allowed for this page. You can still listen and chat.'],
  [{ audio: start('NotFoundError'), video: start('NotReadableError') }, BOTH, 'No microphone was found. The camera is in use by another program. You can still watch and chat.'],
  [{ video: { why: 'failed', error: 'NotReadableError', deviceId: null } }, BOTH, 'The camera is in use by another program. Others cannot see you.'],
  [{ audio: start('Insecure'), video: start('Insecure') }, BOTH, 'Browsers allow camera and microphone only on https pages. You can still watch and chat.'],
  [{}, BOTH, ''],
];
for (const [missing, wanted, words] of lacks) {
  test(`${JSON.stringify(missing)}: ${words}`, () => assert.equal(describe(new Map(Object.entries(missing)), wanted), words));
}

test('an error that is not known is named', () => assert.match(explain('OddError', ['video']), /^The camera could not be opened \(OddError\)/));

test('other devices are offered where there are any, and the default one not twice', () => {
  const all = ['default', 'communications', 'a', 'b'].map((deviceId) => ({ kind: 'audioinput', deviceId, label: deviceId }));
  const labels = (list, why) => offered(choicesFor(['audio'], list), new Map([['audio', why]])).map(({ label }) => label);
  assert.deepEqual(labels(all, start('NotReadableError')), ['a', 'b']);
  assert.deepEqual(labels(all.slice(0, 3), start('NotReadableError')), [], 'there is only the one that Try again means');
  assert.deepEqual(labels(all.slice(0, 3), { why: 'gone', deviceId: 'b' }), ['a']);
});

// ---- On and off --------------------------------------------------------------------------------------------------

const memory = () => {
  const kept = new Map();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) };
};

function equipment({ storage = memory(), choice = 'both', refuse, preferences = new Preferences(memory()) } = {}) {
  const all = devices(refuse);
  const reports = [];
  const made = new Equipment(choice, (equipped) => reports.push(equipped), all, new Switches(storage), preferences);
  const kinds = () => made.stream?.getTracks().map(({ kind, enabled }) => (enabled ? kind : `${kind} disabled`)).sort() ?? [];
  return { made, all, kinds, last: () => reports.at(-1), storage };
}

test('a camera that is switched off is given back and opened again, and a muted microphone stays open', async () => {
  const { made, all, kinds, last } = equipment();
  await made.open();
  const [, camera] = made.stream.getTracks();
  await made.turn('video', false);
  assert.deepEqual([camera.readyState, kinds(), made.missing, made.off], ['ended', ['audio'], ['video'], ['video']]);
  await made.turn('audio', false);
  assert.deepEqual([kinds(), made.missing, made.off], [['audio disabled'], ['video'], ['audio', 'video']]);
  assert.deepEqual(last().status, { audio: 'off', video: 'off' });
  await made.turn('video', true);
  await made.turn('audio', true);
  assert.deepEqual([kinds(), made.missing, made.off, all.asked], [['audio', 'video'], [], [], ['audio video', 'video']]);
});

test('what was switched off stays off in the next visit, and its camera is not even opened', async () => {
  const { made, storage } = equipment();
  await made.open();
  await made.turn('video', false);
  await made.turn('audio', false);
  const next = equipment({ storage });
  await next.made.open();
  assert.deepEqual([next.all.asked, next.kinds(), next.last().status], [['audio'], ['audio disabled'], { audio: 'off', video: 'off' }]);
});

test('a camera that is switched off while it is being opened is given back', async () => {
  const { made, kinds } = equipment();
  await Promise.all([made.open(), made.turn('video', false)]);
  assert.deepEqual(kinds(), ['audio']);
});

test('a device that is silent from the beginning is missed, too', async (t) => {
  // A microphone with its switch off: no `mute` event follows, and nobody was told.
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const heard = [];
  const track = Object.assign(new Track('audio', 'a'), { muted: true });
  watchTrack(track, { ended: () => {}, paused: () => heard.push('paused'), resumed: () => {} });
  watchTrack(Object.assign(new Track('video', 'b'), { muted: false }), { ended: () => {}, paused: () => heard.push('camera'), resumed: () => {} });
  assert.deepEqual(heard, []);
  t.mock.timers.tick(2_000);
  assert.deepEqual(heard, ['paused']);
});

test('the level of a microphone is not measured where that fails, and nothing else fails', () => {
  // Regression: in a Firefox without Web Audio the preview had no buttons.
  assert.equal(typeof AudioContext, 'undefined');
  assert.equal(meter(new Track('audio', 'a'), assert.fail), null);
});

test('camera and microphone can be added to a visit that began without', async () => {
  const { made, all, kinds, last } = equipment({ choice: 'none' });
  await made.open();
  assert.deepEqual([all.asked, last().status, made.off], [[], { audio: 'off', video: 'off' }, []]);
  await made.turn('audio', true);
  await made.turn('video', true);
  assert.deepEqual(kinds(), ['audio', 'video']);
});

test('a device that could not be opened is tried again', async () => {
  const { made, kinds, last } = equipment({ refuse: (kind, times) => kind === 'video' && times < 4 && 'NotReadableError' });
  await made.open();
  assert.deepEqual([kinds(), last().canRetry, last().status.video], [['audio'], true, 'missing']);
  await made.retry();
  assert.deepEqual([kinds(), last().canRetry, last().notice], [['audio', 'video'], false, '']);
});

test('storage that holds something else switches nothing off', () => {
  for (const value of ['null', '{}', '"video"', '[', '[7]']) assert.deepEqual(new Switches({ getItem: () => value, setItem() {} }).off, []);
});

// ---- Choosing ----------------------------------------------------------------------------------------------------

test('a device that is chosen takes the place of the one in use, which is stopped afterwards, and is remembered', async () => {
  const preferences = new Preferences(memory());
  const { made, kinds, last } = equipment({ preferences });
  await made.open();
  const { stream } = made;
  const [microphone, camera] = stream.getTracks();
  await made.use('video', 'video-2');
  assert.deepEqual([camera.readyState, microphone.readyState, kinds(), made.stream === stream], ['ended', 'live', ['audio', 'video'], true]);
  assert.equal(last().used.get('video'), 'video-2');
  await made.turn('audio', false);
  await made.use('audio', 'audio-2');
  assert.deepEqual(kinds(), ['audio disabled', 'video'], 'a muted microphone stays muted');
  const next = equipment({ preferences });
  await next.made.open();
  assert.deepEqual(Object.fromEntries(next.last().used), { audio: 'audio-2', video: 'video-2' });
});

test('a device that cannot be opened leaves the one in use alone', async () => {
  const { made, kinds, last } = equipment({ refuse: (kind, times, id) => id === 'audio-2' && 'NotReadableError' });
  await made.open();
  const [microphone] = made.stream.getTracks();
  await made.use('audio', 'audio-2');
  assert.deepEqual([microphone.readyState, kinds(), last().notice, last().used.get('audio')], ['live', ['audio', 'video'], '', 'audio-1']);
});

test('on a phone that opens one camera at a time, the first is freed for the second, and missed if that fails, too', async () => {
  let open = 0;
  const phone = equipment({ refuse: (kind, times, id) => id === 'video-2' && (open += 1) === 1 && 'NotReadableError' });
  await phone.made.open();
  const camera = phone.made.stream.getTracks()[1];
  await phone.made.use('video', 'video-2');
  assert.deepEqual([camera.readyState, phone.last().used.get('video'), phone.kinds()], ['ended', 'video-2', ['audio', 'video']]);
  const broken = equipment({ refuse: (kind, times, id) => id === 'video-2' && 'NotReadableError' });
  await broken.made.open();
  await broken.made.use('video', 'video-2');
  assert.deepEqual([broken.kinds(), broken.last().notice, broken.last().canRetry], [['audio'], 'The camera is in use by another program. Others cannot see you.', true]);
});

test('a camera that is off is not opened because another is chosen', async () => {
  const { made, all } = equipment();
  await made.open();
  await made.turn('video', false);
  await made.use('video', 'video-2');
  assert.deepEqual(all.asked, ['audio video']);
  await made.turn('video', true);
  assert.equal(made.stream.getTracks().at(-1).deviceId, 'video-2');
});

test('what was opened before the call is not opened again in it, and tells the call', async () => {
  const { made, all } = equipment();
  await made.open();
  const told = [];
  made.follow(({ status }) => told.push(status.video));
  await made.open();
  assert.deepEqual([all.asked, told], [['audio video'], ['live']]);
});

test('a preferred device that was unplugged is replaced by another', async () => {
  const preferences = new Preferences(memory());
  preferences.set('video', 'video-2');
  const { made, kinds, last } = equipment({ preferences, refuse: (kind, times, id) => id === 'video-2' && 'OverconstrainedError' });
  await made.open();
  assert.deepEqual([kinds(), last().notice, last().used.get('video')], [['audio', 'video'], '', 'video-1']);
});

test('lists show the device in use, a name where there is no label, and nothing without permission', () => {
  const all = [['default', 'Default – A'], ['communications', 'A'], ['a', 'A'], ['b', '']].map(([deviceId, label]) => ({ kind: 'audioinput', deviceId, label }));
  assert.deepEqual(optionsOf('audioinput', all, 'b').map(({ label, selected }) => [label, selected]), [['Default – A', false], ['A', false], ['Microphone 3', true]]);
  assert.deepEqual(optionsOf('audioinput', all, 'gone').find(({ selected }) => selected).value, 'default');
  assert.deepEqual(optionsOf('videoinput', [{ kind: 'videoinput', deviceId: '', label: '' }], ''), []);
});

test('preferences that hold something else prefer nothing', () => {
  for (const value of ['null', '7', '[', '{"audio":7,"smell":"x"}']) assert.equal(new Preferences({ getItem: () => value, setItem() {} }).all.size, 0);
});

test('the level is 0 in silence and 1 at full scale', () => {
  assert.deepEqual([levelOf(new Float32Array(8)), levelOf(new Float32Array(8).fill(1)), levelOf(new Float32Array(0))], [0, 1, 0]);
  assert.ok(Math.abs(levelOf(new Float32Array(8).fill(0.0316)) - 0.5) < 0.01);
});

/** Each row: what the browser calls itself, and where to press. */
const browsers = [
  ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', /crossed-out/],
  ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36', /left of the address/],
  ['Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36', /phone’s settings/],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1', /Settings, open Apps/],
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15', /menu “Safari”/],
  ['', /beside the address/],
];
for (const [userAgent, words] of browsers) test(`how to allow devices in ${userAgent.slice(-30) || 'another browser'}`, () => assert.match(howToAllow(userAgent), words));
