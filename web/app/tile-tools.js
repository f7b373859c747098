import { label } from './languages/document.js';
import { isolate } from './names.js';
import { inside } from './page.js';

/**
 * Full screen, also by a double click, and picture-in-picture for a tile, where the browser has them. The button that records it works
 * through the stage (record.js).
 *
 * @param {HTMLElement} tile
 * @param {HTMLVideoElement} video
 * @param {string} name
 */
export function enlarge(tile, video, name) {
  const full = inside(tile, 'full');
  const apart = inside(tile, 'apart');
  label(inside(tile, 'record'), 'record-tile', { name: isolate(name) });
  label(full, 'full-screen', { name: isolate(name) });
  label(apart, 'picture-in-picture', { name: isolate(name) });
  full.hidden = !canBeFull(tile, video);
  apart.hidden = !document.pictureInPictureEnabled || typeof video.requestPictureInPicture !== 'function';
  full.onclick = () => void toggleFull(tile, video);
  apart.onclick = () => void toggleApart(video);
  tile.ondblclick = (event) => event.target instanceof HTMLButtonElement || full.hidden || void toggleFull(tile, video);
}

/** @typedef {HTMLVideoElement & { webkitEnterFullscreen?: () => void }} PhoneVideo iPhones show videos only, in a player of their own */

/**
 * @param {HTMLElement} tile
 * @param {PhoneVideo} video
 */
function canBeFull(tile, video) {
  return Boolean((document.fullscreenEnabled && tile.requestFullscreen) || video.webkitEnterFullscreen);
}

/**
 * @param {HTMLElement} tile
 * @param {PhoneVideo} video
 */
async function toggleFull(tile, video) {
  try {
    if (document.fullscreenElement) await document.exitFullscreen();
    else if (tile.requestFullscreen) await tile.requestFullscreen();
    else video.webkitEnterFullscreen?.();
  } catch {
    // There is no picture yet, or the browser does not want to.
  }
}

/** @param {HTMLVideoElement} video */
async function toggleApart(video) {
  try {
    if (document.pictureInPictureElement === video) await document.exitPictureInPicture();
    else await video.requestPictureInPicture();
  } catch {
    // There is no picture yet.
  }
}
