import { explain, worstOf } from '../ice/errors.js';

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
  if (!answered) {
    return [{ what: `Nothing has come from ${name} yet`, todo: `${name} may not have answered the call yet, or the page there is closed, or suspended in the background. Ask ${name} to open it again.` }];
  }
  const turn = urls.filter((url) => url.startsWith('turn'));
  const servers = troubles(evidence);
  if (local.length === 0 && !(relayOnly && turn.length > 0)) {
    return [...servers, { what: 'This browser offers no addresses', todo: 'An extension, a VPN or a browser setting (WebRTC IP handling) prevents connections. Try another browser.' }];
  }
  if (remote.length === 0) {
    return [...servers, { what: `No addresses have come from ${name}`, todo: `${name} should open the network test.` }];
  }
  const relays = [has(local, 'relay'), has(remote, 'relay')];
  if (turn.length === 0 && !relays[1]) {
    return [{ what: 'The two networks allow no direct connection, and no relay (TURN) is set up', todo: 'Try another network, for instance a phone’s. The operator can turn on the relay of this server (--turn-relay), or set up another: --turn-url.' }, ...servers];
  }
  if (relays[0] || relays[1]) {
    const who = relays[0] ? 'A relay was reached from here' : `${name} reached a relay`;
    return [{ what: `${who}, but nothing from the other side came through it`, todo: 'A firewall may block the relay’s ports (49152–65535 over UDP) or traffic that it does not recognise.' }, ...servers];
  }
  return [...servers, { what: 'The two networks allow no direct connection, and neither side has a relay', todo: 'Open the network test on both sides: it tells which relay can be reached from where.' }];
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
    return error && !has(local, needed) ? [explain(error, url)] : [];
  });
  return [...new Map(found.map((finding) => [finding.what, finding])).values()].sort((a, b) => rank(a) - rank(b));
}

/** A relay that refuses matters more than a silent STUN server. @param {Finding} finding */
function rank({ what }) {
  return /refuses|forbids|no relays/.test(what) ? 0 : 1;
}
