import { Problem } from './problem.js';

/** @import { Endpoints } from '../types.d.ts' */

/**
 * The addresses of one room.
 *
 * @param {string | URL} base where the server is; a path if it is where the page came from
 * @param {string} room
 * @param {string} page which page this is
 * @returns {Endpoints}
 */
export function endpoints(base, room, page) {
  if (DOTS.has(room)) throw unaddressable(room);
  const root = `${String(base).replace(/\/+$/, '')}/v1/rooms/${encodeURIComponent(room)}`;
  const seat = (/** @type {string} */ peer) => `${root}/peers/${peer}`;
  return {
    root,
    page,
    join: `${root}/peers`,
    outbox: `${root}/messages`,
    seat,
    mailbox: (peer, waitMs) => `${seat(peer)}/messages?wait=${Number((waitMs / 1000).toFixed(3))}&page=${page}`,
    leave: (peer) => `${seat(peer)}/leave`,
    iceServers: (peer) => `${seat(peer)}/ice-servers`,
  };
}

/** What every URL parser resolves away, `%2e` too (URL standard): a request for such a room would be one for another path. */
const DOTS = new Set(['', '.', '..']);

/** @param {string} room */
function unaddressable(room) {
  const title = 'This cannot be the name of a room';
  const detail = `“${room}” cannot be the name of a room: an address cannot have it.`;
  return new Problem({ type: '/problems/room-name-invalid', title, status: 422, detail, action: 'Take another name.' });
}
