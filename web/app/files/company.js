/** @import { Link, Peer } from '../../client/types.d.ts' */
/** @import { Conversation } from './conversation.js' */

/** @typedef {{ able: Peer[], unable: Peer[] }} Company who can receive files now, and who never can */

/**
 * @param {Pick<Link, 'state' | 'peer'>[]} links
 * @param {ReadonlyMap<string, Pick<Conversation, 'isOpen' | 'isUnfit'>>} conversations by peer id
 * @returns {Company}
 */
export function companyOf(links, conversations) {
  const connected = links.filter(({ state }) => state === 'connected').map(({ peer }) => peer);
  const knows = (/** @type {Peer} */ { metadata }) => /** @type {any} */ (metadata)?.rtc?.files === true;
  const to = (/** @type {Peer} */ { id }) => conversations.get(id);
  return { able: connected.filter((peer) => knows(peer) && to(peer)?.isOpen), unable: connected.filter((peer) => !knows(peer) || to(peer)?.isUnfit) };
}
