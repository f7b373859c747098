/** @import { Declined, Offered, Withdrawn } from './wire.js' */

/**
 * `offered`, `sending`, `checking` (all is sent, the receiver has not confirmed it yet), or an end.
 *
 * @typedef {'offered' | 'sending' | 'checking' | 'done' | 'over'} OutgoingState
 * @typedef {Declined | Withdrawn | 'left' | 'unknown'} OutgoingEnd
 *
 * @typedef {object} Outgoing
 * @property {Offered} offer
 * @property {Blob} source
 * @property {OutgoingState} state
 * @property {OutgoingEnd} [why] it is over, unless it is done
 * @property {'us' | 'them'} [by]
 * @property {boolean} agreed on this channel: from which offset on
 * @property {number} sent
 * @property {number} stored as far as the receiver has said
 * @property {number} crc of what was sent
 * @property {Map<number, number>} sums up to each end of a chunk from `stored` on: where the receiver may want to continue
 */

/**
 * @param {number} id
 * @param {Blob & { name: string }} source
 * @returns {Outgoing}
 */
export function outgoing(id, source) {
  const offer = { id, name: source.name, size: source.size, mime: source.type.slice(0, 100) };
  return { offer, source, state: 'offered', agreed: false, sent: 0, stored: 0, crc: 0, sums: new Map([[0, 0]]) };
}

/** @param {Outgoing} file */
export function isLive({ state }) {
  return state !== 'done' && state !== 'over';
}
