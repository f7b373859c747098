/** @import { Message, Sent } from '../types.d.ts' */

/**
 * A message in the outbox.
 *
 * @typedef {object} QueuedMessage
 * @property {string | null} to null: all other members
 * @property {Message} original before it was sealed, if it was
 * @property {string} json
 * @property {number} bytes
 * @property {boolean} alone was in a batch that was refused, so it is now sent separately
 * @property {(sent: Sent) => void} resolve
 * @property {(error: unknown) => void} reject
 */

/**
 * @param {string | null} to
 * @param {Message} message
 */
export function written(to, message) {
  const json = JSON.stringify(to === null ? message : { to, ...message });
  return { json, bytes: new TextEncoder().encode(json).length + 1 };
}
