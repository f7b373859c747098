import { show } from '../languages/document.js';
import { inside } from '../page.js';

/** @import { Call, Link, Room } from '../../client/types.d.ts' */

/**
 * Shows in the card of a connection how two people can know that nobody is between them.
 *
 * @param {HTMLElement} card
 * @param {Room} room
 * @param {Call} call
 * @param {Link} link
 */
export function followSafety(card, room, call, link) {
  const fill = () => showSafety(card, room.key !== null, link);
  inside(card, 'compare').addEventListener('click', () => link.markCompared());
  const ends = [
    call.on('verified', ({ peer }) => peer.id === link.peer.id && fill()),
    call.on('link', ({ peer, state }) => {
      if (peer.id !== link.peer.id) return;
      fill();
      if (state === 'closed') for (const end of ends) end();
    }),
  ];
  fill();
}

/**
 * @param {HTMLElement} card
 * @param {boolean} isSealed
 * @param {Link} link
 */
function showSafety(card, isSealed, { state, verified, safetyNumber }) {
  inside(card, 'safety').hidden = safetyNumber === null && (isSealed || state !== 'connected');
  inside(card, 'number').textContent = safetyNumber ?? '';
  inside(card, 'compare').hidden = safetyNumber === null || verified === 'compared';
  const note = verified === 'compared' ? 'safety-compared' : isSealed ? 'safety-sealed' : safetyNumber === null ? 'safety-unknown' : 'safety-open';
  show(inside(card, 'safety-note'), note);
}
