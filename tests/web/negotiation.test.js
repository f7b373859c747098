import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isPolite, judge, sessionId } from '../../web/client/negotiation.js';
import { peer } from './support/world.js';

const sdp = (session) => `v=0\r\no=- ${session} 2 IN IP4 127.0.0.1\r\ns=-\r\n`;
const offer = (session) => ({ type: 'offer', sdp: sdp(session) });
const answer = (session) => ({ type: 'answer', sdp: sdp(session) });
const view = (more) => ({ polite: false, signaling: 'stable', remote: '7', heard: null, ...more });

/** Each row: what this end knows, what arrives, what to do. */
const table = [
  ['an offer is answered', view({}), offer(7), 'answer'],
  ['the first offer on a new connection is answered', view({ remote: null }), offer(7), 'answer'],
  ['the first offer of all makes a connection', view({ signaling: 'closed', remote: null }), offer(7), 'renew'],
  ['on a collision the impolite end insists', view({ signaling: 'have-local-offer' }), offer(7), 'ignore'],
  ['on a collision the polite end gives way', view({ signaling: 'have-local-offer', polite: true }), offer(7), 'answer'],
  ['or, as long as nothing has been agreed on, makes a new connection', view({ signaling: 'have-local-offer', remote: null, polite: true }), offer(7), 'renew'],
  ['an offer of a refreshed page makes a new connection', view({}), offer(8), 'renew'],
  ['even where it collides with ours', view({ signaling: 'have-local-offer' }), offer(8), 'renew'],
  ['the first offers of two new pages are a mere collision', view({ signaling: 'have-local-offer', remote: null }), offer(8), 'ignore'],
  ['an offer that was taken up already is not answered twice', view({ heard: '7 2' }), offer(7), 'drop'],
  ['its next version is', view({ heard: '7 1' }), offer(7), 'answer'],
  ['an answer to our offer is accepted', view({ signaling: 'have-local-offer' }), answer(7), 'accept'],
  ['whoever gave it, if it is the first', view({ signaling: 'have-local-offer', remote: null }), answer(8), 'accept'],
  ['an answer of another connection is out of step', view({ signaling: 'have-local-offer' }), answer(8), 'desync'],
  ['so is an answer to no offer', view({}), answer(7), 'desync'],
  ['an answer to a connection that is gone concerns nobody', view({ signaling: 'closed', remote: null }), answer(7), 'drop'],
];

for (const [name, seen, description, verdict] of table) {
  test(name, () => assert.equal(judge(seen, description), verdict));
}

test('the session id is the second field of the origin, in any browser', () => {
  assert.equal(sessionId('v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\n'), '4611731400430051336');
  assert.equal(sessionId('v=0\no=mozilla...THIS_IS_SDPARTA-99.0 123 0 IN IP4 0.0.0.0\n'), '123');
  assert.equal(sessionId('nonsense'), null);
});

test('the later comer is polite, and exactly one of two is', () => {
  assert.equal(isPolite(peer('ann', 2), peer('ben', 1)), true);
  assert.equal(isPolite(peer('ben', 1), peer('ann', 2)), false);
  assert.notEqual(isPolite(peer('ann', 3), peer('ben', 3)), isPolite(peer('ben', 3), peer('ann', 3)));
  const unordered = (id) => ({ id });
  assert.notEqual(isPolite(unordered('ann'), unordered('ben')), isPolite(unordered('ben'), unordered('ann')));
});
