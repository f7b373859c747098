import { Problem, join } from '../client/index.js';
import { BASE } from './base.js';
import { ObservedConnection } from './ice/observed.js';
import { inOneLine } from './names.js';
import { toApiName } from './room-name.js';

/** @import { Room } from '../client/types.d.ts' */
/** @import { Wish } from './address.js' */
/** @import { Refusal } from './words.js' */

/** How often to try a full room if the server does not say when a seat may become free. */
const RETRY_MS = 5_000;
/** The limit for any delay that the server asks for. */
const MAX_WAIT_MS = 60_000;
/** The channel for files, and what others are told: this page knows it (docs/files.md). */
export const CHANNELS = { files: 100 };
const METADATA = { rtc: { files: true } };

/**
 * @typedef {object} Listener
 * @property {(phase: 'joining' | 'unanswered') => void} trying
 * @property {(freesAt: number | null) => void} full when a seat may become free, as `performance.now()` tells time
 * @property {(refusal: Refusal) => void} refused for good
 */

/**
 * Joins a room, and waits for a seat if it is full. Resolves with null if that was refused or cancelled.
 *
 * @param {Wish} wish
 * @param {AbortSignal} signal
 * @param {Listener} tell
 * @returns {Promise<Room | null>}
 */
export async function enterRoom({ room, name, capacity, secret, ticket, seal }, signal, tell) {
  const onRetry = () => tell.trying('unanswered');
  while (!signal.aborted) {
    tell.trying('joining');
    try {
      return await join(BASE, toApiName(room), { ...seal, name, metadata: METADATA, capacity, secret, ticket, signal, onRetry, RTCPeerConnection: ObservedConnection });
    } catch (error) {
      if (signal.aborted) return null;
      if (!(error instanceof Problem) || error.slug !== 'room-full') {
        tell.refused(refusalOf(/** @type {Problem} */ (error)));
        return null;
      }
      const ms = error.document.frees_in_ms ?? null;
      tell.full(ms === null ? null : performance.now() + ms);
      await seatMayBeFree(ms, signal);
    }
  }
  return null;
}

/** @param {Error & Partial<Pick<Problem, 'slug' | 'document'>>} error @returns {Refusal} */
export function refusalOf({ message, slug, document }) {
  const { action, capacity_max: capacityMax, secret_chars_min: secretMin } = document ?? {};
  return { slug, message: inOneLine(message), action: action && inOneLine(action), capacityMax, secretMin };
}

/**
 * @param {number | null} ms
 * @param {AbortSignal} signal
 */
function seatMayBeFree(ms, signal) {
  return new Promise((resolve) => {
    // A moment longer, so that the seat is certainly free.
    setTimeout(resolve, ms === null ? RETRY_MS : Math.min(MAX_WAIT_MS, Math.max(1_000, ms + 250)));
    signal.addEventListener('abort', resolve);
  });
}
