import { part } from '../page.js';
import { percentIn } from './words.js';

/** @import { Transfer } from './transfer.js' */

/**
 * Shows on the button how much of everything is done, and asks before a reload that would lose transfers.
 *
 * @param {Transfer[]} moving
 */
export function showMoving(moving) {
  const [size, stored] = [moving.reduce((sum, { file }) => sum + file.offer.size, 0), moving.reduce((sum, { file }) => sum + file.stored, 0)];
  const view = part('files-total', HTMLElement);
  view.hidden = moving.length === 0;
  view.textContent = percentIn(size === 0 ? 0 : stored / size);
  window.onbeforeunload = moving.length > 0 ? (event) => event.preventDefault() : null;
}
