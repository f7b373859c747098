/** Width by height of a tile, and the gap between two, as in call.css. */
const RATIO = 16 / 10;
const GAP_PX = 8;

/**
 * How wide tiles can be for all of them to fit: as many columns as make them largest.
 *
 * @param {number} tiles
 * @param {number} width of the stage
 * @param {number} height
 */
export function tileWidth(tiles, width, height) {
  const widths = Array.from({ length: tiles }, (_, at) => {
    const [columns, rows] = [at + 1, Math.ceil(tiles / (at + 1))];
    return Math.min((width - (columns - 1) * GAP_PX) / columns, ((height - (rows - 1) * GAP_PX) / rows) * RATIO);
  });
  return Math.max(0, Math.floor(Math.max(...widths)));
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

/** How high a tile is. @param {number} width */
export function tileHeight(width) {
  return width / RATIO;
}
