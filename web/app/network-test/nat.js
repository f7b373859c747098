import { transportOf, worstOf } from '../ice/errors.js';
import { gather } from './gather.js';

/** @import { IceError } from '../ice/errors.js' */
/** @import { Outcome } from './outcome.js' */

const STUN_PORT = 3478;

/** Servers that tell an address over UDP: STUN servers, and the TURN servers, which are STUN servers, too. @param {RTCIceServer[]} servers */
export function reflectors(servers) {
  const plain = servers.flatMap(({ urls }) => urls).filter((url) => /^(stun|turn):/.test(url) && transportOf(url) === 'UDP');
  const urls = plain.map((url) => url.replace(/^turn/, 'stun').replace(/\?.*/, ''));
  return [...new Set(urls.map((url) => (/:\d+$/.test(url.replace('stun:', '')) ? url : `${url}:${STUN_PORT}`)))];
}

/**
 * Does NAT give this machine one address for all, or another for each? With another for each, none that STUN tells of is of
 * use to the other end.
 *
 * @param {string[]} urls at least two of {@link reflectors}
 * @param {AbortSignal} signal
 */
export async function testNat(urls, signal) {
  const { candidates, errors, complete } = await gather([{ urls }], () => false, signal);
  const answered = complete ? urls.filter((url) => !worstOf(errors, url)).length : 0;
  return judgeNat(candidates, answered);
}

/**
 * @param {Pick<RTCIceCandidate, 'type' | 'protocol' | 'address' | 'port' | 'relatedAddress' | 'relatedPort'>[]} candidates
 * @param {number} answered how many servers certainly answered
 * @returns {Outcome}
 */
export function judgeNat(candidates, answered) {
  /** What others saw, by the machine's own address and port. @type {Map<string, Set<string>>} */
  const seen = new Map();
  for (const { type, protocol, address, port, relatedAddress, relatedPort } of candidates) {
    if (type !== 'srflx' || protocol !== 'udp') continue;
    const own = `${address?.includes(':') ? 6 : 4} ${relatedAddress} ${relatedPort}`;
    seen.set(own, (seen.get(own) ?? new Set()).add(`${address} ${port}`));
  }
  if ([...seen.values()].some((addresses) => addresses.size > 1)) {
    return { grade: 'fair', words: 'NAT gives this machine another address for each that it talks to (symmetric NAT). Direct calls come about only with people on open networks; all others need a relay.', figures: { mapping: 'varies' } };
  }
  if (answered < 2) return { grade: 'unknown', words: 'Of what kind this network’s NAT is cannot be told: that needs answers of two servers.', figures: { mapping: null } };
  if (seen.size === 0) return { grade: 'good', words: 'No NAT was seen.', figures: { mapping: 'none' } };
  return { grade: 'good', words: 'This machine has the same address for all that it talks to: direct calls to most networks come about.', figures: { mapping: 'same' } };
}
