import { onOtherNetwork } from './other-network.js';
import { lenientStorage, tabStorage } from './storage.js';

/** @import { Clock, Environment } from '../types.d.ts' */

/**
 * Everything the client takes from its surroundings: network, storage, time, randomness and the page. It is one value, so
 * that a test can replace any part.
 *
 * @param {Partial<Environment>} given
 * @returns {Environment}
 */
export function environment(given) {
  const connection = given.connection ?? /** @type {{ connection?: Environment['connection'] }} */ (globalThis.navigator)?.connection;
  const MediaStream = given.MediaStream ?? globalThis.MediaStream;
  const fetch = given.fetch ?? ((url, init) => globalThis.fetch(url, init));
  return {
    ...(connection && { connection }),
    ...(MediaStream && { MediaStream }),
    fetch,
    storage: given.storage ?? defaultStorage(),
    clock: given.clock ?? systemClock,
    random: given.random ?? Math.random,
    uuid: given.uuid ?? uuid,
    page: given.page ?? globalScope(),
    beacon: given.beacon ?? ((url, body) => beacon(fetch, url, body)),
    RTCPeerConnection: given.RTCPeerConnection ?? globalThis.RTCPeerConnection,
  };
}

/**
 * Resolves after `ms`; with `eager` also as soon as the browser says that it is online again, or on another network. Rejects
 * with the signal's reason if that is aborted.
 *
 * @param {Pick<Environment, 'clock' | 'page' | 'connection'>} env
 * @param {number} ms
 * @param {AbortSignal} [signal]
 * @param {boolean} [eager]
 * @returns {Promise<void>}
 */
export function pause(env, ms, signal, eager = false) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const end = () => {
      cancel();
      forget();
      signal?.removeEventListener('abort', stop);
    };
    const proceed = () => (end(), resolve());
    const stop = () => (end(), reject(signal?.reason));
    const cancel = env.clock.after(ms, proceed);
    const forget = eager ? onOtherNetwork(env, proceed, true) : () => {};
    signal?.addEventListener('abort', stop);
  });
}

/** @type {Clock} */
const systemClock = {
  now: () => performance.now(),
  date: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** Where a browser says that it is online again. A worker has that, too, and none of a page's other events. */
function globalScope() {
  if (typeof window !== 'undefined') return window;
  return 'WorkerGlobalScope' in globalThis ? /** @type {EventTarget} */ (globalThis) : undefined;
}

/**
 * All joins of a page share its storage, so that they find their seats again. A program without a page may join a room
 * twice, as two peers, so each join has its own.
 */
function defaultStorage() {
  return 'document' in globalThis ? tabStorage : lenientStorage(() => null);
}

/**
 * `navigator.sendBeacon`, or the same request by `fetch`: some settings and extensions remove the beacon, and it refuses
 * if too much is queued.
 *
 * @param {Environment['fetch']} fetch
 * @param {string} url
 * @param {string} body
 */
function beacon(fetch, url, body) {
  if (globalThis.navigator?.sendBeacon?.(url, body)) return true;
  fetch(url, { method: 'POST', mode: 'no-cors', body, keepalive: true }).catch(() => {});
  return true;
}

/** `crypto.randomUUID` is missing on plain http outside localhost, as on a phone in the same network. */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
