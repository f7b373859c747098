/** @import { Membership } from './membership.js' */
/** @import { Session } from './session.js' */
/** @import { Environment } from '../types.d.ts' */

/**
 * A page that is hidden for good sends a beacon, which shortens its lease to a few seconds: a reload gets the seat back, a
 * closed tab does not. A page that returns from the back-forward cache takes its seat again.
 *
 * @param {Environment} env
 * @param {Session} session
 * @param {Membership} membership
 */
export function followPage({ page, beacon }, session, membership) {
  const { over } = membership;
  const hide = () => {
    membership.suspend();
    const seat = session.heldSeat;
    if (seat) beacon(session.at.leave(seat.peer), seat.token);
  };
  const show = (/** @type {Event} */ event) => {
    if (/** @type {PageTransitionEvent} */ (event).persisted) membership.resume();
  };
  page?.addEventListener('pagehide', hide);
  page?.addEventListener('pageshow', show);
  over.addEventListener('abort', () => {
    page?.removeEventListener('pagehide', hide);
    page?.removeEventListener('pageshow', show);
  });
}
