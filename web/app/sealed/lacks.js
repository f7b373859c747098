import { say } from '../languages/say.js';
import { isolatedName } from '../names.js';

/** @import { Peer, Room } from '../../client/types.d.ts' */
/** @import { Seal } from './seal.js' */

/**
 * Why a peer cannot be connected with. `sealed`: what it sends is sealed, and this page has no key.
 *
 * @typedef {'no key' | 'another key' | 'sealed'} Lack
 *
 * @typedef {{ name: string, lack: Lack }} Lacking the name is isolated
 */

/**
 * Null if what the peer sends can be read here.
 *
 * @param {Pick<Room, 'key' | 'troubles'>} room
 * @param {Pick<Peer, 'id' | 'metadata'>} peer
 * @returns {Lack | null}
 */
export function lackOf({ key, troubles }, { id, metadata }) {
  if (key !== null) return troubles.get(id) ?? null;
  const { sealed } = /** @type {{ sealed?: unknown }} */ (metadata ?? {});
  return typeof sealed === 'string' && /^\d+\./.test(sealed) ? 'sealed' : null;
}

/**
 * Who cannot be connected with, by id.
 *
 * @param {Room | null} room
 * @returns {Map<string, Lacking>}
 */
export function lackingIn(room) {
  return new Map([...(room?.peers.values() ?? [])].flatMap((peer) => {
    const lack = room && lackOf(room, peer);
    return lack ? [[peer.id, { name: isolatedName(peer), lack }]] : [];
  }));
}

/**
 * Resolves when what the peer sends can be read: until then there is nothing to ask the user about it.
 *
 * @param {Room} room
 * @param {Peer} peer
 * @param {AbortSignal} signal that the peer is gone; then this does not resolve
 * @returns {Promise<void>}
 */
export function fits(room, peer, signal) {
  return new Promise((resolve) => {
    if (!lackOf(room, peer)) return resolve();
    const end = room.on('trouble', (change) => {
      if (change.peer.id !== peer.id || change.trouble) return;
      end();
      resolve();
    });
    signal.addEventListener('abort', end);
  });
}

/** What matters most comes first: nobody at all can be heard without a key. @type {Lack[]} */
const ORDER = ['sealed', 'another key', 'no key'];

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
  if (lack === 'no key') return { what: say('no-key', { name }), todo: say(byPassphrase ? 'no-passphrase-todo' : 'no-key-todo', { name }) };
  if (byPassphrase) return { what: say('another-passphrase', { name }), todo: say('another-passphrase-todo', { name }) };
  return { what: say('another-key', { name }), todo: say('another-key-todo', { name }) };
}
