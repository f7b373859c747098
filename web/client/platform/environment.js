import { lenientStorage, tabStorage } from './storage.js';

/** @import { Clock, Environment } from '../types.d.ts' */

/**
 * Everything the client takes from the world around it: network, storage, time, chance and the page. It is one value,
 * so that a test can replace any part of it.
 *
 * @param {Partial<Environment>} given
 * @returns {Environment}
 */
export function environment(given) {
  const connection = given.connection ?? /** @type {{ connection?: Environment['connection'] }} */ (globalThis.navigator)?.connection;
  const MediaStream = given.MediaStream ?? globalThis.MediaStream;
  return {
    ...(connection && { connection }),
    ...(MediaStream && { MediaStream }),
    fetch: given.fetch ?? ((url, init) => globalThis.fetch(url, init)),
    storage: given.storage ?? keptStorage(),
    clock: given.clock ?? systemClock,
    random: given.random ?? Math.random,
    uuid: given.uuid ?? uuid,
    page: given.page ?? (typeof window === 'undefined' ? undefined : window),
    beacon: given.beacon ?? ((url, body) => navigator.sendBeacon(url, body)),
    RTCPeerConnection: given.RTCPeerConnection ?? globalThis.RTCPeerConnection,
  };
}

/**
 * Resolves after `ms`; with `eager` also as soon as the browser says that it is online again. Rejects with the
 * signal's reason when that is aborted.
 *
 * @param {Pick<Environment, 'clock' | 'page'>} env
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
      env.page?.removeEventListener('online', proceed);
      signal?.removeEventListener('abort', stop);
    };
    const proceed = () => (end(), resolve());
    const stop = () => (end(), reject(signal?.reason));
    const cancel = env.clock.after(ms, proceed);
    if (eager) env.page?.addEventListener('online', proceed);
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

/**
 * A page has one, so that it finds its seat again. A program that is no page may join the same room twice, as two peers: each
 * of them remembers for itself.
 */
function keptStorage() {
  return 'document' in globalThis ? tabStorage : lenientStorage(() => null);
}

/** `crypto.randomUUID` is missing on plain http outside localhost, where a phone in the same network may well be. */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
