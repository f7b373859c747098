import { Attendance } from './attendance.js';
import { whipRole } from '../client/index.js';
import { newsOf, readDeviceNews } from './devices/news.js';
import { isolatedName } from './names.js';

/** @import { Room } from '../client/types.d.ts' */
/** @import { Chat } from './chat.js' */
/** @import { Stage } from './stage.js' */

/**
 * Notes which people come and go, and what becomes of their devices.
 *
 * @param {Room} room
 * @param {Pick<Chat, 'note'>} chat
 * @param {Pick<Stage, 'forget' | 'heard'>} stage
 * @param {(text: string) => void} speak to screen readers
 */
export function noteEvents(room, chat, stage, speak) {
  const attendance = new Attendance(room.peers.values());
  room.on('state', ({ state }) => state === 'reconnecting' && attendance.doubt());
  room.on('resumed', (resumption) => attendance.resumed(resumption));
  room.on('peer-joined', (peer) => !whipRole(peer) && attendance.joined(peer) && chat.note('joined', { name: isolatedName(peer) }));
  room.on('peer-left', ({ peer }) => {
    stage.forget(peer);
    if (attendance.left(peer)) chat.note('left', { name: isolatedName(peer) });
  });
  room.on('message', (message) => {
    const news = message.type === 'data' ? readDeviceNews(message.data) : null;
    const peer = room.peers.get(message.from);
    if (!news || !peer) return;
    const name = isolatedName(peer);
    const { log, spoken } = newsOf(name, stage.heard(peer, news), news);
    for (const key of log) chat.note(key, { name });
    if (spoken.length > 0) speak(spoken.join(' · '));
  });
}
