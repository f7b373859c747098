import { show } from '../languages/document.js';
import { say } from '../languages/say.js';
import { inside, part, write } from '../page.js';
import { adviceOn } from './lacks.js';

/** @import { Verified } from '../../client/types.d.ts' */
/** @import { Lacking } from './lacks.js' */
/** @import { Seal } from './seal.js' */

/** Beside the room's name. @param {Seal | undefined} seal */
export function showSeal(seal) {
  const mark = part('sealed', HTMLElement);
  mark.dataset.sealed = String(seal !== undefined);
  mark.querySelector('use')?.setAttribute('href', seal ? '#icon-seal' : '#icon-seal-open');
  show(/** @type {HTMLElement} */ (mark.querySelector('span')), seal ? 'sealed' : 'seal-not');
}

/**
 * On a tile: whether it is known that nobody is in between.
 *
 * @param {HTMLElement} tile
 * @param {Verified} verified
 */
export function showLock(tile, verified) {
  const lock = inside(tile, 'lock');
  lock.hidden = !verified;
  lock.dataset.verified = String(verified);
  if (verified) show(inside(lock, 'verified'), verified === 'compared' ? 'tile-compared' : 'tile-sealed');
}

/**
 * Says what does not fit, and what to do about it.
 *
 * @param {Lacking[]} [lacking]
 * @param {Seal} [seal]
 */
export function tellLacks(lacking = [], seal) {
  const notice = part('lacking', HTMLElement);
  const advice = adviceOn(lacking, seal);
  notice.hidden = !advice;
  const [what, todo] = notice.children;
  write(what, advice ? say('sentence', { text: advice.what }) : '');
  write(todo, advice?.todo ?? '');
}
