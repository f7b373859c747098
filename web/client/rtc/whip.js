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
