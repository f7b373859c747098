import { hasWebCrypto, subtle } from '../platform/web-crypto.js';

const GROUPS = 12;
const GROUP_BYTES = 5;

/**
 * A number that two people compare aloud to know that nobody is in between: from the descriptions of both ends, in either
 * order. Null if one has no fingerprint, or without WebCrypto.
 *
 * A description may have several fingerprints, of which any may match (RFC 8122, section 5). So those of each end stay
 * together: if they were put into one list, a man in the middle could add the fingerprint of the other end to its own,
 * and both ends would see one number.
 *
 * @param {string} local
 * @param {string} remote
 */
export async function safetyNumber(local, remote) {
  const ends = [local, remote].map(fingerprints).sort();
  if (ends.includes('') || !hasWebCrypto()) return null;
  const digest = new Uint8Array(await subtle().digest('SHA-512', new TextEncoder().encode(ends.join('\n'))));
  return Array.from({ length: GROUPS }, (_, at) => group(digest.subarray(at * GROUP_BYTES, (at + 1) * GROUP_BYTES))).join(' ');
}

/**
 * Of one end, in upper case. Wherever they stand: what a parser of SDP might take for one must not be missed, and whatever
 * else is found makes the numbers differ.
 *
 * @param {string} sdp
 */
function fingerprints(sdp) {
  const found = sdp.matchAll(/a=fingerprint:[^!-~]*([!-~]+)[^!-~]+([!-~]+)/gi);
  return [...new Set([...found].map(([, hash, value]) => `${hash} ${value}`.toUpperCase()))].sort().join(' ');
}

/** @param {Uint8Array} bytes five, so no more than 40 bits */
function group(bytes) {
  const number = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  return String(number % 100_000).padStart(5, '0');
}
