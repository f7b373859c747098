import assert from 'node:assert/strict';
import { test } from 'node:test';

import { candidatesOf, isPrivate } from '../../../web/app/ice/candidates.js';
import { explain, hostOf, transportOf, worstOf } from '../../../web/app/ice/errors.js';
import { FIGURES, describe, pathOf } from '../../../web/app/panel/chart.js';
import { diagnose } from '../../../web/app/panel/diagnosis.js';
import { flowBetween, totalsOf } from '../../../web/app/panel/flow.js';
import { routeOf } from '../../../web/app/panel/route.js';

// ---- Path --------------------------------------------------------------------------------------------------------

const reports = (local, remote, more = []) => new Map([
  { id: 'T', type: 'transport', selectedCandidatePairId: 'P' },
  { id: 'P', type: 'candidate-pair', localCandidateId: 'L', remoteCandidateId: 'R', timestamp: 1_000 },
  { id: 'L', type: 'local-candidate', protocol: 'udp', ...local },
  { id: 'R', type: 'remote-candidate', protocol: 'udp', ...remote },
  ...more,
].map((report) => [report.id, report]));
const host = (address) => ({ candidateType: 'host', address });
const relay = { candidateType: 'relay', address: '203.0.113.20', relayProtocol: 'tls', url: 'turns:turn.example.org:443?transport=tcp' };

/** Each row: the browser's statistics of both ends, and the words. */
const ways = [
  [host('192.168.1.2'), host('192.168.1.3'), 'direct', 'Direct, on the same network'],
  [host('fd00::2'), host('fd00::3'), 'direct', 'Direct, on the same network'],
  [host('3c7a.local'), host('192.168.1.3'), 'direct', 'Direct, on the same network'],
  [host('127.0.0.1'), host('127.0.0.1'), 'direct', 'Direct, on the same machine'],
  [host('192.168.1.2'), host('192.168.1.2'), 'direct', 'Direct, on the same machine'],
  [host('203.0.113.1'), host('198.51.100.7'), 'direct', 'Direct, without NAT'],
  [host('2001:db8::1'), host('2001:db8:1::1'), 'direct', 'Direct, without NAT'],
  [host('192.168.1.2'), { candidateType: 'srflx', address: '203.0.113.1' }, 'nat', 'Direct, through NAT'],
  [{ candidateType: 'prflx', address: '203.0.113.9' }, host('198.51.100.7'), 'nat', 'Direct, through NAT'],
  [host('192.168.1.2'), { candidateType: 'prflx' }, 'direct', 'Direct'],
  [relay, { candidateType: 'prflx' }, 'relay', 'Relayed by turn.example.org over TLS'],
  [{ ...relay, url: 'turns:call.example.org:443?transport=tcp' }, { candidateType: 'relay' }, 'relay', 'Relayed by this server, over TLS'],
  [{ ...relay, url: undefined }, { candidateType: 'relay' }, 'relay', 'Relayed over TLS'],
  [{ candidateType: 'srflx' }, { candidateType: 'relay', address: '203.0.113.20' }, 'relay', 'Relayed by the other side’s relay'],
];
for (const [local, remote, kind, words] of ways) {
  test(`${local.candidateType} ${local.address} – ${remote.candidateType} ${remote.address}: ${words}`, () => {
    const route = routeOf(reports(local, remote), 'call.example.org');
    assert.deepEqual([route.kind, route.words], [kind, words]);
  });
}

test('without a chosen pair there is no way', () => {
  assert.equal(routeOf(new Map()), null);
  assert.equal(routeOf(new Map([['T', { type: 'transport' }]])), null);
});

test('addresses that mean something on one network only are known', () => {
  for (const address of ['10.1.2.3', '172.16.0.1', '172.31.9.9', '192.168.0.1', '169.254.1.1', 'fe80::1', 'fd12::1', 'fc00::1', 'a-b.local', '127.0.0.1', '::1']) assert.ok(isPrivate(address), address);
  for (const address of ['11.1.2.3', '172.32.0.1', '192.169.0.1', '203.0.113.1', '2001:db8::1', '100.1.1.1']) assert.ok(!isPrivate(address), address);
});

test('candidates are read off a description, each once, those for RTCP left out', () => {
  const line = (component, protocol, address, port, rest) => `a=candidate:1 ${component} ${protocol} 2122260223 ${address} ${port} typ ${rest}\r\n`;
  const sdp = `v=0\r\nm=audio\r\n${line(1, 'udp', '192.168.1.2', 50_000, 'host generation 0')}${line(2, 'udp', '192.168.1.2', 50_001, 'host')}`
    + `m=video\r\n${line(1, 'UDP', 'fd00::2', 50_002, 'srflx raddr 0.0.0.0 rport 0')}${line(1, 'udp', '192.168.1.2', 50_000, 'host')}`;
  assert.deepEqual(candidatesOf(sdp), [
    { type: 'host', protocol: 'udp', address: '192.168.1.2', port: 50_000 },
    { type: 'srflx', protocol: 'udp', address: 'fd00::2', port: 50_002 },
  ]);
  assert.deepEqual(candidatesOf(undefined), []);
});

// ---- Quality -----------------------------------------------------------------------------------------------------

test('what flows is the difference of two looks', () => {
  const at = (timestamp, bytes, rtp) => {
    const map = reports(host('10.0.0.1'), host('10.0.0.2'), rtp);
    Object.assign(map.get('P'), { timestamp, bytesSent: bytes, bytesReceived: 2 * bytes, currentRoundTripTime: 0.025 });
    return totalsOf(map, routeOf(map));
  };
  const inbound = (packetsLost, packetsReceived) => ({ id: 'I', type: 'inbound-rtp', packetsLost, packetsReceived });
  const first = at(1_000, 1_000, [inbound(0, 100)]);
  const second = at(3_000, 26_000, [inbound(5, 195)]);
  assert.deepEqual(flowBetween(first, second), { roundTripMs: 25, sentKbps: 100, receivedKbps: 200, lossPercent: 5 });
  assert.deepEqual(flowBetween(null, first), { roundTripMs: 25, sentKbps: null, receivedKbps: null, lossPercent: null });
  for (const fallen of [{ sent: 0 }, { received: 0 }]) {
    assert.equal(flowBetween(second, { ...second, at: 4_000, ...fallen }).sentKbps, null, 'a count that fell is another connection’s');
  }
  const ours = at(5_000, 27_000, [inbound(5, 195), { id: 'O', type: 'remote-inbound-rtp', fractionLost: 0.125 }]);
  assert.equal(flowBetween(second, ours).lossPercent, 12.5, 'what the other end missed counts, too');
  assert.equal(flowBetween(at(1_000, 0, []), at(2_000, 9, [])).lossPercent, null, 'nothing can be lost without media');
});

test('a chart has its newest value at the right, and gaps where nothing is known', () => {
  assert.equal(pathOf([10, 10], 10), 'M119 1.0L120 1.0');
  assert.equal(pathOf([0, null, 5, 5], 10), 'M117 31.0M119 16.0L120 16.0');
  assert.equal(pathOf([], 10), '');
});

test('a chart can be read out', () => {
  const [roundTrip, received] = FIGURES;
  assert.equal(describe(roundTrip, [12.34, 80, 9.87]), 'Round trip over the last 3 s: now 9.9 ms, at most 80 ms');
  assert.equal(describe(received, [1_500, null]), 'Received over the last 2 s: now unknown, at most 1.5 Mbit/s');
  assert.equal(describe(received, [null]), 'Received: unknown');
});

// ---- Diagnosis ---------------------------------------------------------------------------------------------------

const TURN = 'turn:turn.example.org:3478?transport=udp';
const STUN = 'stun:stun.example.org';
const a = (type) => ({ type, protocol: 'udp', address: '192.0.2.1', port: 1 });
const evidence = (more) => ({ name: 'Ben', state: 'connecting', answered: true, urls: [STUN, TURN], relayOnly: false, local: [a('host')], remote: [a('host')], errors: [], ...more });

/** Each row: the known facts, and the beginning of the first finding. */
const failures = [
  [{ answered: false }, /^Nothing has arrived from Ben yet/],
  [{ local: [] }, /^This browser offers no addresses/],
  [{ local: [], relayOnly: true, errors: [{ url: TURN, code: 401, text: '' }] }, /^turn\.example\.org refuses the TURN credentials/],
  [{ remote: [] }, /^No addresses have arrived from Ben/],
  [{ urls: [STUN] }, /no relay \(TURN\) is set up/],
  [{ urls: [] }, /no relay \(TURN\) is set up/],
  [{ errors: [{ url: STUN, code: 701, text: '' }, { url: TURN, code: 486, text: '' }] }, /this user’s relay quota is used up/],
  [{ errors: [{ url: TURN, code: 701, text: 'TURN allocate request timed out.' }] }, /^turn\.example\.org does not respond over UDP/],
  [{ local: [a('host'), a('relay')], errors: [{ url: TURN, code: 701, text: '' }] }, /^A relay was reached from here, but nothing/],
  [{ urls: [STUN], remote: [a('relay')] }, /^Ben reached a relay, but nothing/],
  [{}, /^The two networks allow no direct connection, and neither side has a relay/],
];
for (const [more, expected] of failures) {
  test(`${JSON.stringify(more)}: ${expected.source}`, () => {
    const [first] = diagnose(evidence(more));
    assert.match(first.what, expected);
    assert.ok(first.todo.length > 10);
  });
}

test('the same trouble of several addresses is told once, and that of a server which was reached not at all', () => {
  const silent = { url: STUN, code: 701, text: '' };
  const other = { ...silent, url: `${STUN}:3479` };
  const told = (more) => diagnose(evidence({ urls: [STUN, other.url, TURN], ...more })).filter(({ what }) => what.includes('stun.example.org')).length;
  assert.equal(told({ errors: [silent, silent, other] }), 1);
  assert.equal(told({ errors: [silent], local: [a('host'), a('srflx')] }), 0);
});

test('each error says what to do', () => {
  const cases = [[401, '', /credentials/], [403, '', /forbids/], [486, '', /quota is used up/], [508, '', /no relays left/], [500, 'Oops', /refuses \(500 \u2068Oops\u2069\)/], [701, 'STUN host lookup received error.', /No server has the name turn\.example\.org/], [701, '', /does not respond over UDP/]];
  for (const [code, text, what] of cases) {
    const explained = explain({ url: TURN, code, text }, TURN);
    assert.match(explained.what, what);
    assert.ok(explained.todo);
  }
});

test('a refusal says more than silence', () => {
  const errors = [{ url: TURN, code: 701, text: '' }, { url: 'turn:turn.example.org:3478', code: 401, text: '' }, { url: 'turn:other.example:1', code: 508, text: '' }];
  assert.equal(worstOf(errors, TURN).code, 401);
  assert.equal(worstOf([{ url: 'turn:turn.example.org:3478?transport=tcp', code: 401, text: '' }], TURN), undefined);
});

test('URLs of servers are understood', () => {
  assert.deepEqual(['stun:a.example', 'turn:a.example:3478?transport=tcp', 'turns:[2001:db8::1]:443'].map(hostOf), ['a.example', 'a.example', '[2001:db8::1]']);
  assert.deepEqual(['turn:a', 'turn:a?transport=udp', 'turn:a?transport=tcp', 'turns:a', 'turns:a?transport=tcp', 'stun:a'].map(transportOf), ['UDP', 'UDP', 'TCP', 'TLS', 'TLS', 'UDP']);
});
