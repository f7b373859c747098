import { Problem } from './problem.js';

/** @import { Endpoints } from '../types.d.ts' */

/**
 * The URLs of one room.
 *
 * @param {string | URL} base the server's URL, or a path on the page's origin
 * @param {string} room
 * @param {string} page identifies this page
 * @returns {Endpoints}
 * @throws {TypeError} if the base has a query or a fragment
 */
export function endpoints(base, room, page) {
  // Not repeated: the fragment may have a room's key.
  if (/[?#]/.test(String(base))) throw new TypeError('The URL of a server has no query and no fragment, which the link to a room has.');
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
    iceServers: (peer, nonce) => `${seat(peer)}/ice-servers${nonce === undefined ? '' : `?nonce=${nonce}`}`,
  };
}

/** URL parsers resolve these path segments, even as `%2e` (URL standard), so such a room has no URL. */
const DOTS = new Set(['', '.', '..']);

/** @param {string} room */
function unaddressable(room) {
  const title = 'Invalid room name';
  const detail = `“${room}” cannot be the name of a room, because no URL can contain it.`;
  return new Problem({ type: '/problems/room-name-invalid', title, status: 422, detail, action: 'Choose another name.' });
}
