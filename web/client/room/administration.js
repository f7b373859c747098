import { persist } from '../wire/persist.js';

/** @import { Session } from './session.js' */
/** @import { ApiRequest, Environment } from '../types.d.ts' */

/**
 * Sends a request that only the room's creator may send.
 *
 * @param {Environment} env
 * @param {Session} session
 * @param {AbortSignal} over
 * @param {Pick<ApiRequest, 'method' | 'body' | 'expects'>} request
 * @param {string} what it does, for the error
 */
export async function administer(env, session, over, request, what) {
  const { at, seat } = session;
  const token = seat.roomToken;
  if (!token) throw new Error(`Only the creator of a room can ${what} it.`);
  await persist(env, () => session.ask({ ...request, url: at.root, token }), { signal: over });
}
