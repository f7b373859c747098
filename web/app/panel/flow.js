/** @import { Report, Route } from './route.js' */

/**
 * Totals of a connection so far.
 *
 * @typedef {object} Totals
 * @property {number} at milliseconds
 * @property {number} sent bytes
 * @property {number} received bytes
 * @property {number} lost packets from the peer that did not arrive
 * @property {number} arrived packets
 * @property {number | null} refused the fraction of our packets that the peer reports as lost
 * @property {number | null} roundTripMs
 */

/**
 * Rates between two samples. Null if unknown.
 *
 * @typedef {object} Flow
 * @property {number | null} roundTripMs
 * @property {number | null} sentKbps
 * @property {number | null} receivedKbps
 * @property {number | null} lossPercent the worse of both directions
 */

/**
 * @param {Map<string, Report>} reports
 * @param {Route} route
 * @returns {Totals}
 */
export function totalsOf(reports, { pair }) {
  const all = [...reports.values()];
  const sum = (/** @type {string} */ type, /** @type {string} */ member) =>
    all.filter((report) => report.type === type).reduce((total, report) => total + (report[member] ?? 0), 0);
  const fractions = all.filter(({ type }) => type === 'remote-inbound-rtp').map(({ fractionLost }) => fractionLost ?? 0);
  return {
    at: pair.timestamp,
    sent: pair.bytesSent ?? 0,
    received: pair.bytesReceived ?? 0,
    lost: sum('inbound-rtp', 'packetsLost'),
    arrived: sum('inbound-rtp', 'packetsReceived'),
    refused: fractions.length > 0 ? Math.max(...fractions) : null,
    roundTripMs: pair.currentRoundTripTime === undefined ? null : pair.currentRoundTripTime * 1000,
  };
}

/**
 * @param {Totals | null} before null if there is nothing to compare with
 * @param {Totals} now
 * @returns {Flow}
 */
export function flowBetween(before, now) {
  const seconds = before ? (now.at - before.at) / 1000 : 0;
  const { roundTripMs } = now;
  if (!before || seconds <= 0 || now.sent < before.sent || now.received < before.received) {
    return { roundTripMs, sentKbps: null, receivedKbps: null, lossPercent: null };
  }
  const kbps = (/** @type {number} */ bytes) => (bytes * 8) / 1000 / seconds;
  return {
    roundTripMs,
    sentKbps: kbps(now.sent - before.sent),
    receivedKbps: kbps(now.received - before.received),
    lossPercent: loss(before, now),
  };
}

/**
 * @param {Totals} before
 * @param {Totals} now
 */
function loss(before, now) {
  // Late packets may still arrive: then `lost` falls.
  const lost = Math.max(0, now.lost - before.lost);
  const expected = lost + Math.max(0, now.arrived - before.arrived);
  if (expected === 0 && now.refused === null) return null;
  return 100 * Math.max(expected === 0 ? 0 : lost / expected, now.refused ?? 0);
}
