import assert from 'node:assert/strict';

import { agreed, couple, talk } from './company.js';

export const types = (mail) => mail.map(({ message }) => message.type);

/** Ann and Ben in an established call. */
export async function connected(options) {
  const pair = couple(options);
  pair.ben.call.start();
  pair.ann.call.start();
  await talk(pair.ann, pair.ben);
  pair.ann.pc('ben').connect();
  pair.ben.pc('ann').connect();
  assert.ok(agreed(pair.ann, pair.ben));
  return pair;
}

/** Reloads a member's page: same peer, no state. */
export function refreshed(member) {
  const { room, clock, constructor: Again } = member;
  const { pc } = [...member.call.links.values()][0];
  pc.close();
  return new Again(clock, room.self, [...room.peers.values()]);
}
