import { isOtherConnection, isRepetition } from './sdp.js';

/** @import { Description, Peer } from '../types.d.ts' */

/**
 * What to do with a description that arrived: the perfect negotiation of the WebRTC recommendation, widened by one
 * case that it leaves out. A page that is refreshed comes back under the same peer id with a new RTCPeerConnection,
 * and nothing but its next description tells so, by another fingerprint.
 *
 * @typedef {object} View what one end knows when a description arrives
 * @property {boolean} polite
 * @property {RTCSignalingState} signaling `closed` also where there is no connection yet
 * @property {string | null} remote the other's description in force
 * @property {string | null} heard the last offer of the other's that was taken up
 *
 * @typedef {'answer' | 'renew' | 'ignore' | 'accept' | 'desync' | 'drop'} Verdict
 *   `renew`: answer with a new connection in place of the one there may be; `ignore`: the other has to follow our offer
 *   instead; `desync`: the two ends believe different things, so start anew; `drop`: this is of no use any more.
 */

/**
 * @param {View} view
 * @param {Description} description
 * @returns {Verdict}
 */
export function judge(view, { type, sdp }) {
  const other = view.remote !== null && isOtherConnection(view.remote, sdp);
  if (type === 'answer') return judgeAnswer(view, other);
  return view.heard !== null && isRepetition(view.heard, sdp) ? 'drop' : judgeOffer(view, other);
}

/**
 * @param {View} view
 * @param {boolean} other the description is another connection's than the last one
 * @returns {Verdict}
 */
function judgeOffer({ polite, signaling, remote }, other) {
  if (signaling === 'closed' || other) return 'renew';
  if (signaling === 'stable') return 'answer';
  if (!polite) return 'ignore';
  // Taking back the very first offer fails in Chromium ("Failed to start SCTP transport") where the other end's has the
  // data channel in another place. A connection that has agreed on nothing yet is as easily replaced.
  return remote === null ? 'renew' : 'answer';
}

/**
 * @param {View} view
 * @param {boolean} other
 * @returns {Verdict}
 */
function judgeAnswer({ signaling }, other) {
  if (signaling === 'closed') return 'drop';
  return signaling === 'have-local-offer' && !other ? 'accept' : 'desync';
}

/**
 * Of two peers the later comer is polite: it gives way when both offer at once. Where the order says nothing, any rule
 * does on which both agree.
 *
 * @param {Peer} self
 * @param {Peer} other
 */
export function isPolite(self, other) {
  const difference = self.order - other.order;
  return difference === 0 || Number.isNaN(difference) ? self.id > other.id : difference > 0;
}
