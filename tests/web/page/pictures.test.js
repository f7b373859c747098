import assert from 'node:assert/strict';
import { test } from 'node:test';

import { arrange } from '../../../web/app/pictures.js';
import { smallInset, tileWidth } from '../../../web/app/tile-width.js';

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
  test(`tiles for ${name}`, () => assert.deepEqual(arrange(streams), { main, more, screens: [] }));
}

test('a shared screen has a tile of its own, whatever comes first, also without a camera, and until it sends nothing', () => {
  const shared = { id: 'screen', ...stream(screen, music) };
  assert.deepEqual(arrange([shared, stream(voice, camera)], 'screen'), { main: [music, voice, camera], more: [screen], screens: [screen] });
  assert.deepEqual(arrange([stream(voice), shared], 'screen'), { main: [voice, music], more: [screen], screens: [screen] });
  assert.deepEqual(arrange([stream(voice, camera), { id: 'screen', ...stream(silent) }], 'screen'), { main: [voice, camera], more: [], screens: [] });
  assert.deepEqual(arrange([stream(voice, camera), shared], 'other').screens, []);
});

/** Each row: how many tiles, the stage, and the width of a tile. */
const stages = [
  [1, 1_600, 1_000, 1_600],
  [1, 1_600, 500, 800],
  [1, 300, 1_000, 300],
  [2, 1_608, 1_000, 800],
  [2, 300, 400, 300],
  [4, 1_608, 1_008, 800],
  [8, 304, 150, 71],
  [3, 0, 0, 0],
];

for (const [tiles, width, height, wide] of stages) {
  test(`${tiles} tiles in ${width} × ${height} are ${wide} wide`, () => assert.equal(tileWidth(tiles, width, height), wide));
}

test('the small picture lies beside the tile if it fits there, and otherwise in its corner', () => {
  assert.deepEqual([smallInset(600, 600, 100), smallInset(700, 600, 100), smallInset(900, 600, 100)], [8, 58, 8]);
});
