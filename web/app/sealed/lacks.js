import { whipRole } from '../../client/index.js';
import { say } from '../languages/say.js';
import { isolatedName } from '../names.js';

/** @import { Call, Peer, Refusal, Room } from '../../client/types.d.ts' */
/** @import { Seal } from './seal.js' */

/**
 * Why a peer cannot be connected with. `sealed`: its card says that what it sends is sealed, and this page has no key. Anybody can
 * write that into their card, so it is the room that is `sealed` only if it was there first and nobody is connected; else the
 * `stranger` has a key of its own.
 *
 * @typedef {'no key' | 'another key' | 'sealed' | 'stranger'} Lack
 *
 * @typedef {{ name: string, lack: Lack }} Lacking the name is isolated
 */

/** What the last description says of its sender, in each room. @type {WeakMap<Pick<Room, 'key'>, Map<string, Lack>>} */
const refused = new WeakMap();
/** @type {Partial<Record<Refusal, Lack>>} */
const REFUSED = { unsealed: 'no key', unreadable: 'another key' };

/**
 * Tells when what peers lack may have changed, and notes which descriptions are not used. The client judges a peer by its last message.
 * An attacker who changes only descriptions leaves that looking fine, although nothing connects; so descriptions are tracked here.
 *
 * @param {Room} room
 * @param {() => void} changed
 */
export function followLacks(room, changed) {
  /** @type {Map<string, Lack>} */
  const last = new Map();
  refused.set(room, last);
  room.on('trouble', changed);
  room.on('refused', ({ from, type, why }) => {
    const lack = REFUSED[why];
    if (lack && isDescription(type)) last.set(from, lack);
    changed();
  });
  room.on('message', ({ from, type }) => isDescription(type) && last.delete(from) && changed());
  room.on('peer-left', ({ peer }) => last.delete(peer.id));
}

/** @param {string} type */
function isDescription(type) {
  return type === 'offer' || type === 'answer';
}

/**
 * Null if what the peer sends can be read here.
 *
 * @param {Pick<Room, 'key' | 'troubles'>} room
 * @param {Pick<Peer, 'id' | 'metadata'>} peer
 * @returns {Lack | null}
 */
export function lackOf(room, { id, metadata }) {
  const { key, troubles } = room;
  if (key !== null) return troubles.get(id) ?? refused.get(room)?.get(id) ?? null;
  const { sealed } = /** @type {{ sealed?: unknown }} */ (metadata ?? {});
  return typeof sealed === 'string' && /^\d+\./.test(sealed) ? 'sealed' : null;
}

/**
 * Who cannot be connected with, by id. A connection that is up stays up, whatever somebody in between sends under its peer's name.
 *
 * @param {Pick<Room, 'key' | 'troubles' | 'peers' | 'self'> | null} room
 * @param {Pick<Call, 'links'> | null} call
 * @param {ReadonlySet<string>} [declined] the ids of those whom the user did not let in
 * @returns {Map<string, Lacking>}
 */
export function lackingIn(room, call, declined = new Set()) {
  const isConnected = (/** @type {string} */ id) => call?.links.get(id)?.state === 'connected';
  const isAlone = ![...(call?.links.keys() ?? [])].some(isConnected);
  return new Map([...(room?.peers.values() ?? [])].flatMap((peer) => {
    // Encoders have no way to hold a key.
    const lack = room && !whipRole(peer) && !isConnected(peer.id) && !declined.has(peer.id) && lackOf(room, peer);
    if (!lack) return [];
    const isStranger = lack === 'sealed' && !(isAlone && peer.order < room.self.order);
    return [[peer.id, { name: isolatedName(peer), lack: isStranger ? 'stranger' : lack }]];
  }));
}

/**
 * Resolves when what the peer sends can be read: until then there is nothing to ask the user about it. In a room without a key that
 * is at once: it would never change, and the user must be able to decline.
 *
 * @param {Room} room
 * @param {Peer} peer
 * @param {AbortSignal} signal that the peer is gone; then this does not resolve
 * @returns {Promise<void>}
 */
export function fits(room, peer, signal) {
  return new Promise((resolve) => {
    if (room.key === null || !lackOf(room, peer)) return resolve();
    const end = room.on('trouble', (change) => {
      if (change.peer.id !== peer.id || change.trouble) return;
      end();
      resolve();
    });
    signal.addEventListener('abort', end);
  });
}

/** What matters most comes first: nobody at all can be heard without a key. @type {Lack[]} */
const ORDER = ['sealed', 'another key', 'no key', 'stranger'];

/**
 * What does not fit, and what to do about it; null if all is well.
 *
 * @param {Lacking[]} lacking
 * @param {Seal | undefined} seal of this page
 */
export function adviceOn(lacking, seal) {
  const [first] = [...lacking].sort((a, b) => ORDER.indexOf(a.lack) - ORDER.indexOf(b.lack));
  if (!first) return null;
  const { name, lack } = first;
  const byPassphrase = seal !== undefined && 'passphrase' in seal;
  if (lack === 'sealed') return { what: say('room-is-sealed'), todo: say('room-is-sealed-todo') };
  if (lack === 'stranger') return { what: say('stranger-key', { name }), todo: say('stranger-key-todo', { name }) };
  if (lack === 'no key') return { what: say('no-key', { name }), todo: say(byPassphrase ? 'no-passphrase-todo' : 'no-key-todo', { name }) };
  if (byPassphrase) return { what: say('another-passphrase', { name }), todo: say('another-passphrase-todo', { name }) };
  return { what: say('another-key', { name }), todo: say('another-key-todo', { name }) };
}
