import { Problem } from './problem.js';

/**
 * The addresses of one room.
 *
 * @param {string | URL} base where the server is; a path if it is where the page came from
 * @param {string} room
 * @param {string} page which page this is
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
    /** Constant as long as the hold is: the browser keeps preflights by the whole address. */
    mailbox: (/** @type {string} */ peer, /** @type {number} */ waitMs) =>
      `${seat(peer)}/messages?wait=${Number((waitMs / 1000).toFixed(3))}&page=${page}`,
    leave: (/** @type {string} */ peer) => `${seat(peer)}/leave`,
    iceServers: (/** @type {string} */ peer) => `${seat(peer)}/ice-servers`,
  };
}

/** Path segments that URL parsers remove, `%2e` too (URL standard): a request for such a room would have another path. */
const DOTS = new Set(['', '.', '..']);

/** @param {string} room */
function unaddressable(room) {
  const title = 'Invalid room name';
  const detail = `“${room}” cannot be a room name, because URL parsers remove it from a path.`;
  return new Problem({ type: '/problems/room-name-invalid', title, status: 422, detail, action: 'Choose another name.' });
}

/** @typedef {ReturnType<typeof endpoints>} Endpoints */
