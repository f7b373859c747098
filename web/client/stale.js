/** @import { Batch } from './types.d.ts' */

/**
 * An answer from behind the cursor that was asked for is not the server's: a cache on the way, or a service worker,
 * repeats one from before.
 *
 * @param {Batch} batch
 * @param {number} asked
 */
export function isStale({ messages, cursor }, asked) {
  return !(cursor >= asked) || !Array.isArray(messages) || messages.some(({ seq }) => !(seq > asked && seq <= cursor));
}
