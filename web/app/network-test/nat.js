import { transportOf, worstOf } from '../ice/errors.js';
import { say } from '../languages/say.js';
import { gather } from './gather.js';

/** @import { IceError } from '../ice/errors.js' */
/** @import { Judgement, Outcome } from './outcome.js' */

const STUN_PORT = 3478;

/** Servers that report an address over UDP: STUN servers, and TURN servers, which are STUN servers, too. @param {RTCIceServer[]} servers */
export function reflectors(servers) {
  const plain = servers.flatMap(({ urls }) => urls).filter((url) => /^(stun|turn):/.test(url) && transportOf(url) === 'UDP');
  const urls = plain.map((url) => url.replace(/^turn/, 'stun').replace(/\?.*/, ''));
  return [...new Set(urls.map((url) => (/:\d+$/.test(url.replace('stun:', '')) ? url : `${url}:${STUN_PORT}`)))];
}

/**
 * Does NAT map this machine to one address for all destinations, or to a different one for each (RFC 4787, section 4.1)? In
 * the latter case the address that STUN reports is of no use to a peer.
 *
 * @param {string[]} urls at least two of {@link reflectors}
 * @param {AbortSignal} signal
 * @returns {Promise<Judgement>}
 */
export async function testNat(urls, signal) {
  const { candidates, errors, complete } = await gather([{ urls }], () => false, signal);
  const answered = complete ? urls.filter((url) => !worstOf(errors, url)).length : 0;
  return () => judgeNat(candidates, answered);
}

/**
 * @param {Pick<RTCIceCandidate, 'type' | 'protocol' | 'address' | 'port' | 'relatedAddress' | 'relatedPort'>[]} candidates
 * @param {number} answered how many servers certainly responded
 * @returns {Outcome}
 */
export function judgeNat(candidates, answered) {
  /** Addresses that servers saw, by the machine's own address and port. @type {Map<string, Set<string>>} */
  const seen = new Map();
  for (const { type, protocol, address, port, relatedAddress, relatedPort } of candidates) {
    if (type !== 'srflx' || protocol !== 'udp') continue;
    const own = `${address?.includes(':') ? 6 : 4} ${relatedAddress} ${relatedPort}`;
    seen.set(own, (seen.get(own) ?? new Set()).add(`${address} ${port}`));
  }
  if ([...seen.values()].some((addresses) => addresses.size > 1)) {
    return { grade: 'fair', words: say('nat-varies'), figures: { mapping: 'varies' } };
  }
  if (answered < 2) return { grade: 'unknown', words: say('nat-unknown'), figures: { mapping: null } };
  if (seen.size === 0) return { grade: 'good', words: say('nat-none'), figures: { mapping: 'none' } };
  return { grade: 'good', words: say('nat-same'), figures: { mapping: 'same' } };
}
