import { hasSameIce, isOtherConnection, isRepetition } from './sdp.js';

/** @import { Description, Peer } from '../types.d.ts' */

/**
 * What to do with a description that arrived: perfect negotiation (W3C WebRTC, section 10.7), extended by the case that a
 * page was reloaded. Its peer id stays the same, and only the fingerprint in its next description tells that its
 * RTCPeerConnection is a new one.
 *
 * @typedef {object} View what this end knows when a description arrives
 * @property {boolean} polite
 * @property {RTCSignalingState} signaling `closed` also if there is no connection yet
 * @property {string | null} remote the remote description in force
 * @property {string | null} heard the last remote offer that was answered
 * @property {number} [withdrawn] local offers that were rolled back and may still be answered
 *
 * @typedef {'answer' | 'renew' | 'ignore' | 'accept' | 'desync' | 'drop' | 'repeated'} Verdict
 *   `renew`: answer with a new connection; `ignore`: the peer has to answer our offer instead; `desync`: the two ends
 *   disagree, so start over; `drop`: no longer of use; `repeated`: only its candidates are of use.
 */

/**
 * @param {View} view
 * @param {Description} description
 * @returns {Verdict}
 */
export function judge(view, { type, sdp }) {
  const other = view.remote !== null && isOtherConnection(view.remote, sdp);
  if (type === 'answer') return judgeAnswer(view, sdp, other);
  return view.heard !== null && isRepetition(view.heard, sdp) ? 'repeated' : judgeOffer(view, other);
}

/**
 * @param {View} view
 * @param {boolean} other the description comes from another connection than the one before
 * @returns {Verdict}
 */
function judgeOffer({ polite, signaling, remote }, other) {
  if (signaling === 'closed' || other) return 'renew';
  if (signaling === 'stable') return 'answer';
  if (!polite) return 'ignore';
  // Rolling back the very first offer fails in Chromium ("Failed to start SCTP transport") if the remote offer has the
  // data channel at another index. Nothing has been agreed on yet, so a new connection costs nothing.
  return remote === null ? 'renew' : 'answer';
}

/**
 * @param {View} view
 * @param {string} sdp
 * @param {boolean} other
 * @returns {Verdict}
 */
function judgeAnswer({ signaling, remote, withdrawn = 0 }, sdp, other) {
  if (signaling === 'closed') return 'drop';
  if (signaling === 'have-local-offer' && !other) return 'accept';
  // Some peers send a description at once, and again when they have gathered all candidates.
  if (signaling === 'stable' && remote !== null && isRepetition(remote, sdp)) return 'repeated';
  // An answer to an offer that was rolled back, or to its successor if the late answer was accepted for that.
  const late = signaling === 'stable' && withdrawn > 0 && remote !== null && !other;
  return late && hasSameIce(remote, sdp) ? 'drop' : 'desync';
}

/**
 * The peer that joined later is polite: it gives way if both offer at once. If the order does not tell, any rule does on
 * which both ends agree.
 *
 * @param {Peer} self
 * @param {Peer} other
 */
export function isPolite(self, other) {
  const difference = self.order - other.order;
  return difference === 0 || Number.isNaN(difference) ? self.id > other.id : difference > 0;
}
