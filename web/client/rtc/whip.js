/** @import { Peer } from '../types.d.ts' */

/** The server gives UUIDs of version 8 to peers that call by WHIP or WHEP, and to nobody else: a card can say anything. */
const WHIP_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-8/;

/**
 * What kind of program a peer is that calls by plain HTTP (docs/whip.md); null for any other. It cannot be offered to: it makes the
 * only offer, and calls again when its connection has failed.
 *
 * @param {Pick<Peer, 'id' | 'metadata'>} peer
 * @returns {'encoder' | 'player' | null}
 */
export function whipRole({ id, metadata }) {
  const role = /** @type {{ whip?: unknown } | null | undefined} */ (metadata)?.whip;
  return WHIP_ID.test(id) && (role === 'encoder' || role === 'player') ? role : null;
}

/**
 * What names an offer of such a peer, to be repeated in what is said about it: the peer keeps its id when it calls again, so an answer or a
 * goodbye that is late would be taken for one to its later offer.
 *
 * @param {Pick<Peer, 'id' | 'metadata'>} peer
 * @param {object} [offer]
 * @returns {{ call?: string }}
 */
export function markOf(peer, offer) {
  const call = /** @type {{ call?: unknown } | undefined} */ (offer)?.call;
  return whipRole(peer) && typeof call === 'string' ? { call } : {};
}
