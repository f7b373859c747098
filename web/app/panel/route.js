import { isLoopback, isPrivate } from '../ice/candidates.js';
import { hostOf, transportOf } from '../ice/errors.js';
import { say } from '../languages/say.js';

/** A report of `getStats`; its members depend on its type. @typedef {Record<string, any>} Report */

/**
 * The route of the media.
 *
 * @typedef {object} Route
 * @property {'direct' | 'nat' | 'relay'} kind
 * @property {string} words
 * @property {string} protocol between here and the next hop
 * @property {Report} pair
 * @property {Report} local
 * @property {Report} remote
 */

/**
 * @param {Map<string, Report>} reports
 * @param {string} ownHost this server, as URLs name it
 * @returns {Route | null} null while there is none
 */
export function routeOf(reports, ownHost) {
  const all = [...reports.values()];
  const chosen = all.find(({ type }) => type === 'transport')?.selectedCandidatePairId;
  const pair = reports.get(chosen) ?? all.find(({ type, nominated, state }) => type === 'candidate-pair' && nominated && state === 'succeeded');
  const [local, remote] = [reports.get(pair?.localCandidateId), reports.get(pair?.remoteCandidateId)];
  if (!pair || !local || !remote) return null;
  const protocol = (local.relayProtocol ?? local.protocol ?? '').toUpperCase();
  return { ...judge(local, remote, protocol, ownHost), protocol, pair, local, remote };
}

/**
 * @param {Report} local
 * @param {Report} remote
 * @param {string} protocol
 * @param {string} ownHost
 * @returns {Pick<Route, 'kind' | 'words'>}
 */
function judge(local, remote, protocol, ownHost) {
  if (local.candidateType === 'relay') {
    const [host, over] = [local.url ? hostOf(local.url) : '', protocol || transportOf(local.url ?? '')];
    if (host !== '' && host === ownHost) return { kind: 'relay', words: say('relayed-here', { protocol: over }) };
    return { kind: 'relay', words: host ? say('relayed-by', { host, protocol: over }) : say('relayed', { protocol: over }) };
  }
  if (remote.candidateType === 'relay') return { kind: 'relay', words: say('relayed-there') };
  const behindNat = [local, remote].some(({ candidateType }) => candidateType === 'srflx') || local.candidateType === 'prflx';
  if (behindNat) return { kind: 'nat', words: say('through-nat') };
  const addresses = [local, remote].map(({ address, ip }) => address ?? ip ?? '');
  const [here, there] = addresses;
  if (addresses.every(isLoopback) || (here !== '' && here === there)) return { kind: 'direct', words: say('same-machine') };
  if (addresses.every(isPrivate)) return { kind: 'direct', words: say('same-network') };
  // Browsers hide peer-reflexive addresses.
  if (remote.candidateType === 'prflx') return { kind: 'direct', words: say('direct') };
  return { kind: 'direct', words: say('without-nat') };
}
