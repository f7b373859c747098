import assert from 'node:assert/strict';
import { test } from 'node:test';

import { arrange } from '../../../web/app/pictures.js';
import { layOut, smallInset } from '../../../web/app/tile-layout.js';

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

/** Each row: how many tiles, the stage, and the size of a tile. */
const stages = [
  [1, 1_600, 900, [1_600, 900]],
  [1, 1_600, 450, [800, 450]],
  [1, 300, 1_000, [300, 225]],
  [2, 1_608, 1_000, [800, 600]],
  [2, 300, 400, [300, 196]],
  [3, 400, 900, [400, 294]],
  [4, 1_608, 908, [800, 450]],
  [8, 2_560, 1_200, [634, 475]],
];
for (const [tiles, width, height, size] of stages) {
  test(`${tiles} tiles in ${width} × ${height} are ${size.join(' × ')}`, () => {
    const [box] = layOut({ tiles, width, height }).tiles;
    assert.deepEqual([box.width, box.height], size);
  });
}

const sizes = [[0, 0], [40, 40], [304, 150], [320, 480], [844, 390], [1_280, 720], [2_560, 1_440]];
test('one to eight tiles, with a screen or two or without, are inside the stage and beside each other', () => {
  for (const [width, height] of sizes) {
    for (let tiles = 1; tiles <= 8; tiles += 1) {
      for (const screens of [0, 1, 2]) {
        const made = layOut({ tiles, screens, width, height });
        const what = `${tiles} tiles and ${screens} screens in ${width} × ${height}`;
        assert.deepEqual([made.tiles.length, made.screens.length], [tiles, screens], what);
        const all = [...made.tiles, ...made.screens];
        const apart = (a, b) => a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
        if (width < 300) continue;
        for (const box of all) assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height, `${what}: ${JSON.stringify(box)}`);
        for (const [at, a] of all.entries()) for (const b of all.slice(at + 1)) assert.ok(apart(a, b), `${what}: ${JSON.stringify([a, b])}`);
      }
    }
  }
});

test('a shared screen gets most of the stage, beside the others or above them', () => {
  const wide = layOut({ tiles: 3, screens: 1, width: 1_600, height: 700 });
  assert.deepEqual(wide.screens, [{ x: 0, y: 0, width: 1_240, height: 700 }]);
  assert.ok(wide.tiles.every(({ x }) => x >= 1_248));
  const high = layOut({ tiles: 3, screens: 1, width: 400, height: 800 });
  assert.equal(high.screens[0].width, 400);
  assert.ok(high.tiles.every(({ y }) => y >= high.screens[0].height));
});

test('the small picture lies beside the tile if it fits there, and otherwise in its corner', () => {
  assert.deepEqual([smallInset(600, 600, 100), smallInset(700, 600, 100), smallInset(900, 600, 100)], [8, 58, 8]);
});
