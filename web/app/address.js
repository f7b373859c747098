import { inOneLine } from './names.js';
import { toRoomName } from './room-name.js';
import { readSeal, writeSeal } from './sealed/seal.js';

/** @import { Seal } from './sealed/seal.js' */

/**
 * What the user asked for, in the form or by the page's URL.
 *
 * @typedef {'both' | 'audio' | 'none' | 'chat'} MediaChoice `none`: watch and chat; `chat`: neither pictures nor sound are received
 * @typedef {object} Wish
 * @property {string} room
 * @property {string} [name]
 * @property {MediaChoice} media
 * @property {number} [capacity]
 * @property {string} [secret]
 * @property {string} [ticket] from the app's login, for servers that require one
 * @property {Seal} [seal] none: the room is not sealed
 */

/** The server's limit. */
const NAME_CHARACTERS = 64;

/** @type {Record<string, MediaChoice>} */
const MEDIA = { both: 'both', video: 'both', audio: 'audio', none: 'none', chat: 'chat' };

/**
 * `/?room=tea&name=Ann&media=audio&capacity=4#key=…&secret=…&ticket=…`. Key, secret and ticket are in the fragment, which is not
 * sent to servers and so does not get into their logs.
 *
 * @param {string} address
 * @returns {Partial<Wish>}
 */
export function readAddress(address) {
  const { searchParams: query, hash } = new URL(address);
  const capacity = Number(query.get('capacity'));
  const fragment = new URLSearchParams(hash.slice(1));
  return {
    room: toRoomName(query.get('room') ?? '') || undefined,
    name: nameFrom(query),
    media: MEDIA[query.get('media') ?? ''],
    capacity: Number.isInteger(capacity) && capacity > 0 ? capacity : undefined,
    secret: fragment.get('secret') ?? undefined,
    ticket: fragment.get('ticket') || undefined,
    seal: readSeal(fragment),
  };
}

/** A name from a link, cut to what the server accepts. @param {URLSearchParams} query */
function nameFrom(query) {
  const name = query.get('name');
  return name === null ? undefined : [...inOneLine(name)].slice(0, NAME_CHARACTERS).join('');
}

/**
 * The URL that invites others into the room, without anything about the user who shares it: neither name nor ticket.
 *
 * @param {string} address the page's own
 * @param {Pick<Wish, 'room' | 'secret' | 'seal'>} wish
 */
export function invitation(address, { room, secret, seal }) {
  const url = new URL(address);
  url.search = `?${new URLSearchParams({ room })}`;
  url.hash = String(new URLSearchParams({ ...(secret && { secret }), ...writeSeal(seal) }));
  return url.href;
}
