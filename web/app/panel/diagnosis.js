import { explain, worstOf } from '../ice/errors.js';
import { say } from '../languages/say.js';

/** @import { Candidate } from '../ice/candidates.js' */
/** @import { IceError } from '../ice/errors.js' */
/** @import { LinkState } from '../../client/types.d.ts' */

/**
 * What is known about a connection that fails.
 *
 * @typedef {object} Evidence
 * @property {string} name of the peer, isolated
 * @property {LinkState} state
 * @property {boolean} answered the peer's description has arrived
 * @property {string[]} urls of the STUN and TURN servers
 * @property {boolean} relayOnly
 * @property {Candidate[]} local
 * @property {Candidate[]} remote
 * @property {IceError[]} errors
 *
 * @typedef {{ what: string, todo: string }} Finding
 */

/** @param {Candidate[]} candidates @param {Candidate['type']} type */
const has = (candidates, type) => candidates.some((candidate) => candidate.type === type);

/**
 * What prevents the connection and what to do about it; the first finding matters most.
 *
 * @param {Evidence} evidence
 * @returns {Finding[]}
 */
export function diagnose(evidence) {
  const { name, answered, urls, local, remote, relayOnly } = evidence;
  if (!answered) return [finding('nothing-came', { name })];
  const turn = urls.filter((url) => url.startsWith('turn'));
  const servers = troubles(evidence);
  if (local.length === 0 && !(relayOnly && turn.length > 0)) return [...servers, finding('no-addresses')];
  if (remote.length === 0) return [...servers, finding('no-addresses-there', { name })];
  const relays = [has(local, 'relay'), has(remote, 'relay')];
  if (turn.length === 0 && !relays[1]) return [finding('no-relay'), ...servers];
  if (relays[0] || relays[1]) return [{ what: say(relays[0] ? 'relay-from-here' : 'relay-from-there', { name }), todo: say('relay-todo') }, ...servers];
  return [...servers, finding('neither-relay')];
}

/**
 * @param {'nothing-came' | 'no-addresses' | 'no-addresses-there' | 'no-relay' | 'neither-relay'} key
 * @param {{ name?: string }} [values]
 * @returns {Finding}
 */
function finding(key, { name = '' } = {}) {
  return { what: say(key, { name }), todo: say(`${key}-todo`, { name }) };
}

/**
 * The errors of each server, without duplicates for several URLs.
 *
 * @param {Evidence} evidence
 * @returns {Finding[]}
 */
function troubles({ urls, errors, local }) {
  const found = urls.flatMap((url) => {
    const needed = url.startsWith('turn') ? 'relay' : 'srflx';
    const error = worstOf(errors, url);
    return error && !has(local, needed) ? [{ finding: explain(error, url), rank: rank(error) }] : [];
  }).sort((a, b) => a.rank - b.rank);
  return [...new Map(found.map(({ finding }) => [finding.what, finding])).values()];
}

/** A relay that refuses matters more than a silent STUN server. @param {IceError} error */
function rank({ code }) {
  return code < 700 ? 0 : 1;
}
