import assert from 'node:assert/strict';
import { test } from 'node:test';

import { arrange } from '../../../web/app/pictures.js';

const track = (kind, more) => ({ kind, muted: false, readyState: 'live', ...more });
const stream = (...tracks) => ({ getTracks: () => tracks });
const [voice, camera, screen, music] = [track('audio'), track('video'), track('video'), track('audio')];
const [silent, ended] = [track('video', { muted: true }), track('video', { readyState: 'ended' })];

/** Each row: the streams, the tracks of the first tile, the pictures in further ones. */
const table = [
  ['nothing', [], [], []],
  ['one stream', [stream(voice, camera)], [voice, camera], []],
  // Regression: of two streams, only the last one was shown.
  ['sound and picture in streams of their own', [stream(voice), stream(camera)], [voice, camera], []],
  ['the picture first', [stream(camera), stream(voice)], [camera, voice], []],
  ['a track in two streams', [stream(voice, camera), stream(voice)], [voice, camera], []],
  ['a second picture', [stream(voice, camera), stream(screen)], [voice, camera], [screen]],
  ['a second sound', [stream(voice, camera), stream(music)], [voice, camera, music], []],
  ['no data in the first picture', [stream(voice, silent), stream(camera)], [voice, camera], []],
  ['no data in the only picture', [stream(voice, silent)], [voice, silent], []],
  ['a picture that ended', [stream(ended), stream(camera)], [camera], []],
];

for (const [name, streams, main, more] of table) {
  test(`tiles for ${name}`, () => assert.deepEqual(arrange(streams), { main, more }));
}
