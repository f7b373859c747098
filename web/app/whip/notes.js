import { whipRole } from '../../client/index.js';
import { say } from '../languages/say.js';
import { isolatedName } from '../names.js';

/** @import { Call, Room } from '../../client/types.d.ts' */

/**
 * Tells those who do not see an encoder's picture who does: it has one connection.
 *
 * @param {Room} room
 * @param {Call} call
 * @param {(text: string) => void} tell
 */
export function noteTaken(room, call, tell) {
  call.on('bye', ({ peer, reason, answeredBy }) => {
    if (reason !== 'taken' || whipRole(peer) !== 'encoder') return;
    const viewer = room.peers.get(answeredBy ?? '');
    tell(viewer ? say('encoder-taken', { encoder: isolatedName(peer), name: isolatedName(viewer) }) : say('encoder-taken-by-another', { encoder: isolatedName(peer) }));
  });
}
