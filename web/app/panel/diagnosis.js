import { explain, worstOf } from '../ice/errors.js';

/** @import { Candidate } from '../ice/candidates.js' */
/** @import { IceError } from '../ice/errors.js' */
/** @import { LinkState } from '../../client/types.d.ts' */

/**
 * What is known of a connection that does not come about.
 *
 * @typedef {object} Evidence
 * @property {string} name of the other
 * @property {LinkState} state
 * @property {boolean} answered the other's description is there
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
 * What stands in the way and what to do about it; the first finding matters most.
 *
 * @param {Evidence} evidence
 * @returns {Finding[]}
 */
export function diagnose(evidence) {
  const { name, answered, urls, local, remote, relayOnly } = evidence;
  if (!answered) {
    return [{ what: `Nothing has come from ${name} yet`, todo: `${name}’s page may be closed, or stand still in the background. Ask ${name} to open it again.` }];
  }
  const turn = urls.filter((url) => url.startsWith('turn'));
  const servers = troubles(evidence);
  if (local.length === 0 && !(relayOnly && turn.length > 0)) {
    return [...servers, { what: 'This browser offers no address at all', todo: 'An extension, a VPN or a setting of the browser keeps it from connecting (WebRTC IP handling). Try another browser.' }];
  }
  if (remote.length === 0) {
    return [...servers, { what: `No address has come from ${name}`, todo: `${name} should open the network test.` }];
  }
  const relays = [has(local, 'relay'), has(remote, 'relay')];
  if (turn.length === 0 && !relays[1]) {
    return [{ what: 'The two networks let nothing through directly, and no relay (TURN) is set up', todo: 'Try from another network, for instance a phone’s. The operator can set up a relay: --turn-url.' }, ...servers];
  }
  if (relays[0] || relays[1]) {
    const who = relays[0] ? `A relay was reached from here` : `${name} reached a relay`;
    return [{ what: `${who}, but nothing of the other end came through it`, todo: 'A firewall in front of the relay may close its relay ports (49152–65535 over UDP), or one on the way cuts what it does not know.' }, ...servers];
  }
  return [...servers, { what: 'The two networks let nothing through directly, and neither side has a relay', todo: 'Open the network test on both sides: it tells which relay can be reached from where.' }];
}

/**
 * What each server did wrong; the same trouble of several URLs counts once.
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

/** A relay that refuses weighs more than a STUN server that is silent. @param {Finding} finding */
function rank({ what }) {
  return /refuses|forbids|given|no relay/.test(what) ? 0 : 1;
}
