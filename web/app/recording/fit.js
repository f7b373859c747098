/** @import { Box } from '../tile-layout.js' */

/**
 * Which part of a picture goes where in a box: all of it, in the middle (`whole`), or as much as fills the box.
 *
 * @param {{ width: number, height: number }} picture
 * @param {Box} box
 * @param {boolean} whole
 * @returns {{ from: Box, to: Box }}
 */
export function fit({ width, height }, box, whole) {
  const [across, down] = [box.width / width, box.height / height];
  const scale = whole ? Math.min(across, down) : Math.max(across, down);
  const [shownWidth, shownHeight] = [Math.min(width, box.width / scale), Math.min(height, box.height / scale)];
  const to = { width: shownWidth * scale, height: shownHeight * scale };
  return {
    from: { x: (width - shownWidth) / 2, y: (height - shownHeight) / 2, width: shownWidth, height: shownHeight },
    to: { x: box.x + (box.width - to.width) / 2, y: box.y + (box.height - to.height) / 2, ...to },
  };
}
