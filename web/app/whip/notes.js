import { whipRole } from '../../client/index.js';
import { isolatedName } from '../names.js';

/** @import { Call, Peer, Room } from '../../client/types.d.ts' */
/** @import { Key, Values } from '../languages/say.js' */

/**
 * Tells that encoders and players cannot come into a sealed room: once, because they try again every few seconds.
 *
 * @param {Pick<Room, 'key' | 'peers' | 'on'>} room
 * @param {(key: Key, values: Values) => void} tell
 */
export function noteSealed(room, tell) {
  if (room.key === null) return;
  let told = false;
  const note = (/** @type {Peer} */ peer) => {
    if (told || !whipRole(peer)) return;
    told = true;
    tell('machine-sealed', {});
  };
  room.on('peer-joined', note);
  for (const peer of room.peers.values()) note(peer);
}

/**
 * Tells those who do not see an encoder's picture who does: it has one connection.
 *
 * @param {Room} room
 * @param {Call} call
 * @param {(key: Key, values: Values) => void} tell
 */
export function noteTaken(room, call, tell) {
  call.on('bye', ({ peer, reason, answeredBy }) => {
    if (reason !== 'taken' || whipRole(peer) !== 'encoder') return;
    const viewer = room.peers.get(answeredBy ?? '');
    const encoder = isolatedName(peer);
    if (viewer) tell('encoder-taken', { encoder, name: isolatedName(viewer) });
    else tell('encoder-taken-by-another', { encoder });
  });
}
