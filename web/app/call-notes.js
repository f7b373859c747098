import { Attendance } from './attendance.js';
import { whipRole } from '../client/index.js';
import { DeviceNotes } from './devices/heard.js';
import { isolatedName } from './names.js';

/** @import { Call, Room } from '../client/types.d.ts' */
/** @import { Chat } from './chat.js' */
/** @import { Stage } from './stage.js' */

/**
 * Notes which people come and go, and what becomes of their devices.
 *
 * @param {Room} room
 * @param {Call} call
 * @param {Pick<Chat, 'note'>} chat
 * @param {Pick<Stage, 'forget' | 'heard'>} stage
 * @param {(text: string) => void} speak to screen readers
 */
export function noteEvents(room, call, chat, stage, speak) {
  const attendance = new Attendance(room.peers.values());
  room.on('state', ({ state }) => state === 'reconnecting' && attendance.doubt());
  room.on('resumed', (resumption) => attendance.resumed(resumption));
  room.on('peer-joined', (peer) => !whipRole(peer) && attendance.joined(peer) && chat.note('joined', { name: isolatedName(peer) }));
  room.on('peer-left', ({ peer }) => {
    stage.forget(peer);
    if (attendance.left(peer)) chat.note('left', { name: isolatedName(peer) });
  });
  new DeviceNotes(room, call, chat, stage, speak);
}
