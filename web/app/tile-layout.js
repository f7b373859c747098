/** The gap between two tiles. */
const GAP_PX = 8;
/** Width by height of tiles: what fits best, between these. */
const NARROWEST = 4 / 3;
const WIDEST = 16 / 9;
/** Of the stage, for the tiles beside a shared screen. */
const STRIP = 0.22;

/** @typedef {{ x: number, y: number, width: number, height: number }} Box */

/**
 * Lays out tiles as large as they can be in a stage of any size: in as many columns as make them largest, in the middle, the
 * last row, too. Shared screens are large; the other tiles are then in a strip below or beside them, whichever leaves more to the screen.
 *
 * @param {{ tiles: number, screens?: number, width: number, height: number }} stage
 * @returns {{ tiles: Box[], screens: Box[] }}
 */
export function layOut({ tiles, screens = 0, width, height }) {
  const all = { x: 0, y: 0, width, height };
  if (screens === 0 || tiles === 0) return { tiles: grid(tiles, all), screens: grid(screens, all) };
  const [wide, high] = [Math.round(width * STRIP), Math.round(height * STRIP)];
  const below = [{ ...all, height: height - high - GAP_PX }, { ...all, y: height - high, height: high }];
  const beside = [{ ...all, width: width - wide - GAP_PX }, { ...all, x: width - wide, width: wide }];
  const [large, strip] = areaOf(below[0]) > areaOf(beside[0]) ? below : beside;
  return { tiles: grid(tiles, strip), screens: screens === 1 ? [large] : grid(screens, large) };
}

/** What a picture of a screen gets of a box. @param {Box} box */
function areaOf({ width, height }) {
  const shown = Math.max(0, Math.min(width, height * WIDEST));
  return shown * (shown / WIDEST);
}

/**
 * @param {number} count
 * @param {Box} space
 * @returns {Box[]}
 */
function grid(count, space) {
  const fits = Array.from({ length: count }, (_, at) => fit(at + 1, Math.ceil(count / (at + 1)), space));
  const [best] = fits.sort((a, b) => b.width * b.height - a.width * a.height);
  return Array.from({ length: count }, (_, at) => {
    const { columns, rows, width, height } = best;
    const [row, column] = [Math.floor(at / columns), at % columns];
    const inRow = row === rows - 1 ? count - row * columns : columns;
    return {
      x: space.x + Math.round((space.width - total(inRow, width)) / 2 + column * (width + GAP_PX)),
      y: space.y + Math.round((space.height - total(rows, height)) / 2 + row * (height + GAP_PX)),
      width,
      height,
    };
  });
}

/**
 * @param {number} columns
 * @param {number} rows
 * @param {Box} space
 */
function fit(columns, rows, space) {
  const width = Math.max(0, (space.width - (columns - 1) * GAP_PX) / columns);
  const height = Math.max(0, (space.height - (rows - 1) * GAP_PX) / rows);
  return { columns, rows, width: Math.floor(Math.min(width, height * WIDEST)), height: Math.floor(Math.min(height, width / NARROWEST)) };
}

/**
 * @param {number} count
 * @param {number} size
 */
function total(count, size) {
  return count * size + (count - 1) * GAP_PX;
}

/**
 * How far from the edge of the stage the small picture lies, which goes into the space beside the tile if it fits there, and into the
 * corner of the tile otherwise.
 *
 * @param {number} stage its width or height
 * @param {number} tile
 * @param {number} small
 */
export function smallInset(stage, tile, small) {
  const space = (stage - tile) / 2;
  return Math.round(space >= small + GAP_PX ? GAP_PX : Math.max(0, space) + GAP_PX);
}
