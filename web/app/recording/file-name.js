/** In characters: with four bytes each, a file system takes it, and what browsers add to it. */
const ROOM_MAX = 48;

/**
 * `signalpost-tea-2026-11-30-140509.webm`, in local time. Of the room's name, only what every file system and shell takes as it is.
 *
 * @param {string} room
 * @param {Date} date
 * @param {string} extension
 */
export function fileName(room, date, extension) {
  const safe = room.normalize('NFC').replace(/[^\p{L}\p{M}\p{N}\p{So}._-]+/gu, '-').replace(/([.-])\1+/g, '$1');
  const short = [...safe].slice(0, ROOM_MAX).join('').replace(/^[\p{M}._-]+|[._-]+$/gu, '');
  return `${['signalpost', short, stamp(date)].filter(Boolean).join('-')}.${extension}`;
}

/** @param {Date} date */
function stamp(date) {
  const two = (/** @type {number} */ number) => String(number).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day}-${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join('')}`;
}

/** How long it has been recording: `0:07`, `1:02:03`. @param {number} ms */
export function clockOf(ms) {
  const seconds = Math.floor(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const rest = String(seconds % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}
