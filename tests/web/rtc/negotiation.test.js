import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isPolite, judge } from '../../../web/client/rtc/negotiation.js';
import { fingerprint, sdp } from '../support/sdp.js';
import { peer } from '../support/world.js';

const offer = (connection, more) => ({ type: 'offer', sdp: sdp(connection, more) });
const answer = (connection, more) => ({ type: 'answer', sdp: sdp(connection, more) });
const view = (more) => ({ polite: false, signaling: 'stable', remote: sdp(7), heard: null, ...more });
const offering = (more) => view({ signaling: 'have-local-offer', ...more });
const taken = sdp(7, { origin: '5 2' });

/** Each row: this end's state, what arrives, what to do. All descriptions have different `o=` lines. */
const table = [
  ['an offer is answered', view({}), offer(7), 'answer'],
  ['the first offer on a new connection is answered', view({ remote: null }), offer(7), 'answer'],
  ['the first offer of all makes a connection', view({ signaling: 'closed', remote: null }), offer(7), 'renew'],
  ['on a collision the impolite end insists', offering({}), offer(7), 'ignore'],
  ['on a collision the polite end gives way', offering({ polite: true }), offer(7), 'answer'],
  ['or, as long as nothing has been agreed on, makes a new connection', offering({ remote: null, polite: true }), offer(7), 'renew'],
  ['an offer of a refreshed page makes a new connection', view({}), offer(8), 'renew'],
  ['even where it collides with ours', offering({}), offer(8), 'renew'],
  ['and where we are polite', offering({ polite: true }), offer(8), 'renew'],
  ['the first offers of two new pages are a mere collision', offering({ remote: null }), offer(8), 'ignore'],
  ['an ICE restart is of the same connection', view({}), offer(7, { ufrag: 'else' }), 'answer'],
  ['its answer is, too', offering({}), answer(7, { ufrag: 'else' }), 'accept'],
  ['an offer that was taken up already is not answered twice', view({ heard: taken }), { type: 'offer', sdp: taken }, 'repeated'],
  ['nor with the candidates known by now', view({ heard: taken }), offer(7, { origin: '5 2', lines: ['a=candidate:1 1 udp 1 10.0.0.1 9 typ host', 'a=end-of-candidates'] }), 'repeated'],
  ['its next version is', view({ heard: taken }), offer(7, { origin: '5 3' }), 'answer'],
  ['and a new offer of somebody whose `o=` never changes', view({ heard: taken }), offer(7, { origin: '5 2', lines: ['m=audio 9 UDP/TLS/RTP/SAVPF 0'] }), 'answer'],
  ['an answer to our offer is accepted', offering({}), answer(7), 'accept'],
  ['from any connection, if it is the first', offering({ remote: null }), answer(8), 'accept'],
  ['an answer of another connection is out of step', offering({}), answer(8), 'desync'],
  ['one that was accepted already is not, though it has the candidates known by now', view({ remote: taken }), answer(7, { origin: '5 2', lines: ['a=candidate:1 1 udp 1 10.0.0.1 9 typ host', 'a=end-of-candidates'] }), 'repeated'],
  ['so is an answer to no offer', view({}), answer(7), 'desync'],
  ['an answer to a connection that is gone concerns nobody', view({ signaling: 'closed', remote: null }), answer(7), 'drop'],
];

for (const [name, seen, description, verdict] of table) {
  test(name, () => assert.equal(judge(seen, description), verdict));
}

// aiortc and libdatachannel write a new session id into each description, contrary to RFC 8829, section 5.2.2. Regression: the
// session id identified the connection, so the second description ended the call.
test('the session id in `o=` says nothing', () => {
  const bare = { type: 'answer', sdp: 'v=0\r\no=- 2 0 IN IP4 0.0.0.0\r\n' };
  for (const polite of [true, false]) {
    assert.equal(judge({ polite, signaling: 'have-local-offer', remote: '1', heard: null }, bare), 'accept');
    assert.equal(judge({ polite, signaling: 'stable', remote: bare.sdp, heard: null }, { ...bare, type: 'offer', sdp: bare.sdp.replace('2 0', '3 0') }), 'answer');
  }
  assert.equal(judge(view({ remote: sdp(7, { origin: '5 2' }) }), offer(8, { origin: '5 2' })), 'renew', 'nor if it stays the same');
});

const lines = (...all) => ['v=0', 'o=- 1 1 IN IP4 0.0.0.0', ...all.flat(), ''].join('\r\n');
const [ours, more, else_] = [fingerprint(7), fingerprint('more', 'sha-384'), fingerprint(8)];

/** Each row: the previous description, the new one, whether both belong to the same connection. */
const pairs = [
  ['one fingerprint, of the session and then of the media', lines(ours, 'm=audio 9 x 0'), lines('m=audio 9 x 0', ours), true],
  ['any case', lines(ours), lines(ours).replace('sha-256', 'SHA-256').replace(/(\S+)\r\n$/, (text) => text.toLowerCase()), true],
  ['another order', lines(ours, more), lines(more, ours), true],
  ['one more, or one fewer, of the same certificate', lines(ours), lines(more, ours), true],
  ['several, all of them others', lines(ours, more), lines(else_, fingerprint('nothing', 'sha-384')), false],
  ['the same digits by another function', lines(ours), lines(fingerprint(7, 'sha-1')), false],
  ['lines that end without a carriage return', lines(ours), lines(ours).replaceAll('\r', ''), true],
  ['none, and then one', lines(), lines(ours), true],
  ['the same certificate, and another association (RFC 8842, 3.1)', lines(ours, 'a=tls-id:abc'), lines(ours, 'a=tls-id:xyz'), false],
  ['the same certificate and association', lines(ours, 'a=tls-id:abc'), lines(ours, 'a=tls-id:abc'), true],
  ['`tls-id` in one of them only', lines(ours), lines(ours, 'a=tls-id:xyz'), true],
];

for (const [name, remote, now, same] of pairs) {
  test(`of ${same ? 'one connection' : 'two connections'}: ${name}`, () => {
    assert.equal(judge(view({ remote }), { type: 'offer', sdp: now }), same ? 'answer' : 'renew');
    assert.equal(judge(offering({ remote }), { type: 'answer', sdp: now }), same ? 'accept' : 'desync');
  });
}

test('the later comer is polite, and exactly one of two is', () => {
  assert.equal(isPolite(peer('ann', 2), peer('ben', 1)), true);
  assert.equal(isPolite(peer('ben', 1), peer('ann', 2)), false);
  assert.notEqual(isPolite(peer('ann', 3), peer('ben', 3)), isPolite(peer('ben', 3), peer('ann', 3)));
  const unordered = (id) => ({ id });
  assert.notEqual(isPolite(unordered('ann'), unordered('ben')), isPolite(unordered('ben'), unordered('ann')));
});
