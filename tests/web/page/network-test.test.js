import assert from 'node:assert/strict';
import { test } from 'node:test';

import { findHold, judgeHolds } from '../../../web/app/network-test/long-poll.js';
import { judgeNat, reflectors } from '../../../web/app/network-test/nat.js';
import { asText } from '../../../web/app/network-test/report.js';
import { judgeStun } from '../../../web/app/network-test/stun.js';
import { judgeTurn } from '../../../web/app/network-test/turn.js';
import { verdictOf } from '../../../web/app/network-test/verdict.js';
import { Problem, Unreachable } from '../../../web/client/wire/problem.js';

// ---- Long polls --------------------------------------------------------------------------------------------------

const back = (s) => ({ askedMs: s * 1_000, tookMs: s * 950, end: 'back' });
const cut = (askedS, s) => ({ askedMs: askedS * 1_000, tookMs: s * 1_000, end: 'cut' });
const swallowed = (s) => ({ askedMs: s * 1_000, tookMs: s * 1_000 + 10_000, end: 'swallowed' });

/** Each row: the polls, the grade, the words. */
const polls = [
  [[back(25), back(55)], 'good', /waited 55 s was answered\. Signaling works/],
  [[back(25), cut(55, 30)], 'good', /waited 25 s was answered\. Another was cut off after 30 s, but calls make no requests that long/],
  [[back(25), swallowed(55)], 'good', /A longer one was never answered, but calls make no/],
  [[cut(25, 8), cut(55, 8), back(6.4)], 'fair', /^A request was cut off after 8 s: .* waited 6.4 s .*asks for shorter ones/],
  [[cut(25, 1), cut(55, 1)], 'bad', /are cut off after 1 s\. Signaling works badly/],
  [[swallowed(25), swallowed(55)], 'bad', /are never answered/],
  [[{ ...back(25), tookMs: 30, end: 'hasty' }], 'fair', /are answered at once/],
  [[{ ...back(25), end: 'refused' }], 'unknown', /refused the test itself/],
  [[back(25), back(55), { ...back(25), tookMs: 3, end: 'cached' }], 'fair', /cache.* repeats old responses/],
  [[{ ...back(25), tookMs: 3, end: 'cached' }], 'fair', /cache.* repeats old responses/],
];
for (const [holds, grade, words] of polls) {
  test(`polls ${holds.map(({ end, askedMs }) => `${askedMs} ${end}`)}: ${grade}`, () => {
    const outcome = judgeHolds(holds, 55_000);
    assert.equal(outcome.grade, grade);
    assert.match(outcome.words, words);
  });
}

test('a server that allows only short holds is not taken for an impatient proxy', () => {
  const outcome = judgeHolds([back(5)], 5_000);
  assert.equal(outcome.grade, 'good');
  assert.match(outcome.words, /the longest wait this server allows/);
});

/** A seat whose polls end immediately, as in `ends`. */
function seat(ends) {
  const asked = [];
  return { asked, poll: async (ms) => { asked.push(ms); const error = ends(ms); if (error) throw error; } };
}
const signal = new AbortController().signal;

test('holds are tried side by side, no longer than the server allows', async () => {
  const seats = [seat(() => null), seat(() => null)];
  const holds = await findHold(seats, 40_000, signal);
  assert.deepEqual(seats.map(({ asked }) => asked), [[25_000], [40_000]]);
  // These were not held: they returned immediately.
  assert.deepEqual(holds.map(({ end }) => end), ['hasty', 'hasty']);
});

test('what comes of a poll is told apart', async () => {
  const end = async (error) => (await findHold([seat(() => error)], 5_000, signal))[0].end;
  assert.equal(await end(new Unreachable('network', {})), 'cut');
  assert.equal(await end(new Unreachable('gateway', { status: 504 })), 'cut');
  assert.equal(await end(new Unreachable('timeout', {})), 'swallowed');
  assert.equal(await end(new Unreachable('stale', {})), 'cached');
  assert.equal(await end(new Problem({ type: '/problems/draining', title: '', status: 503 })), 'refused');
});

test('a poll is repeated: one that is answered at once came from a cache', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const ends = async (again) => {
    let asked = 0;
    const poll = async (ms, given) => {
      if ((asked += 1) === 1) now += ms;
      else if (again === 'held') await new Promise((resolve, reject) => { given.addEventListener('abort', () => reject(given.reason)); t.mock.timers.tick(1_000); });
      else if (again) throw again;
    };
    return (await findHold([{ poll }], 5_000, signal)).map(({ end }) => end);
  };
  assert.deepEqual(await ends('held'), ['back']);
  assert.deepEqual(await ends(null), ['back', 'cached']);
  assert.deepEqual(await ends(new Unreachable('stale', {})), ['back', 'cached']);
  assert.deepEqual(await ends(new Unreachable('network', {})), ['back']);
});

// ---- STUN, NAT, TURN ---------------------------------------------------------------------------------------------

const STUN = 'stun:stun.example.org:3478';
const TURN = 'turn:turn.example.org:3478?transport=udp';
const host = { type: 'host' };
const gathered = (more) => ({ candidates: [host], errors: [], complete: true, tookMs: 40, ...more });

test('a STUN server answers, or sees what the machine knows, or is silent', () => {
  const judged = (more) => { const { grade, words, figures } = judgeStun(STUN, gathered(more)); return [grade, figures.answers, words]; };
  assert.deepEqual(judged({ candidates: [host, { type: 'srflx' }] }).slice(0, 2), ['good', true]);
  assert.match(judged({})[2], /there is no NAT in between/);
  assert.deepEqual(judged({ tookMs: 9_500 }).slice(0, 2), ['bad', false]);
  assert.deepEqual(judged({ complete: false }).slice(0, 2), ['bad', false]);
  assert.deepEqual(judged({ errors: [{ url: STUN, code: 701, text: '' }] }).slice(0, 2), ['bad', false]);
  assert.match(judged({ candidates: [] })[2], /offers no addresses/);
});

test('NAT that gives another address for each server is told from one that does not', () => {
  const seen = (address, port, relatedAddress = '10.0.0.2', relatedPort = 5_000) => ({ type: 'srflx', protocol: 'udp', address, port, relatedAddress, relatedPort });
  const mapping = (candidates, answered = 2) => judgeNat(candidates, answered).figures.mapping;
  assert.equal(mapping([seen('203.0.113.1', 4_000), seen('203.0.113.1', 4_001)]), 'varies');
  assert.equal(mapping([seen('203.0.113.1', 4_000)]), 'same');
  assert.equal(mapping([seen('203.0.113.1', 4_000), seen('198.51.100.1', 4_001, '10.1.0.2')]), 'same', 'of two interfaces each has its own');
  assert.equal(mapping([seen('203.0.113.1', 4_000), seen('2001:db8::1', 4_001)]), 'same', 'and so has each family');
  assert.equal(mapping([seen('203.0.113.1', 4_000)], 1), null, 'one server cannot tell');
  assert.equal(mapping([]), 'none');
});

test('TURN servers tell addresses, too', () => {
  const servers = [{ urls: ['stun:a.example', 'stuns:b.example'] }, { urls: ['turn:a.example:3478?transport=udp', 'turn:c.example:80?transport=udp', 'turn:d.example?transport=tcp', 'turns:e.example'] }];
  assert.deepEqual(reflectors(servers), ['stun:a.example:3478', 'stun:c.example:80']);
});

test('a TURN server relays, gives relays that lead nowhere, refuses, or is silent', () => {
  const judged = (more) => { const { grade, words } = judgeTurn(TURN, { allocated: false, echoed: false, errors: [], tookMs: 100, ...more }); return `${grade}: ${words}`; };
  assert.match(judged({ allocated: true, echoed: true }), /^good: turn\.example\.org relays over UDP/);
  assert.match(judged({ allocated: true }), /^bad: .*nothing comes back/);
  assert.match(judged({ errors: [{ url: TURN, code: 401, text: '' }] }), /^bad: .*refuses the TURN credentials/);
  assert.match(judged({}), /^bad: .*does not respond over UDP/);
});

// ---- Verdict -----------------------------------------------------------------------------------------------------

const line = (kind, grade, figures, url) => ({ kind, title: kind, url, outcome: { grade, words: `${kind} is ${grade}`, figures } });
const basics = [line('signaling', 'good'), line('poll', 'good'), line('upgrade', 'fair')];
const stun = (grade) => line('stun', grade, {}, STUN);
const turn = (grade, transport = 'UDP') => line('turn', grade, { transport }, TURN);
const nat = (mapping) => line('nat', 'fair', { mapping });

/** Each row: the findings, the grade, the words. */
const verdicts = [
  [[...basics, stun('good'), turn('good')], 'good', /directly .* and through a relay where it does not/],
  [[...basics, stun('good'), nat('varies'), turn('good')], 'good', /through a relay: this network’s NAT/],
  [[...basics, stun('bad'), turn('bad'), turn('good', 'TCP')], 'good', /through a relay over TCP: UDP is blocked/],
  [[...basics, line('stun', 'fair'), turn('good')], 'good', /through a relay: no STUN server is set up/],
  [[...basics, stun('good'), line('turn', 'fair')], 'fair', /people on most networks.*no relay is set up/],
  [[...basics, stun('good'), turn('bad')], 'fair', /no relay can be used/],
  [[...basics, stun('good'), nat('varies'), turn('bad')], 'bad', /only with people on open networks/],
  [[...basics, stun('bad'), turn('bad')], 'bad', /same network: no STUN server responds, and no relay can be used/],
  [[...basics, line('stun', 'fair'), line('turn', 'fair')], 'bad', /no STUN server is set up, and no relay is set up/],
  [[line('signaling', 'bad')], 'bad', /the server cannot be used from this network/],
  [[line('signaling', 'good'), line('poll', 'bad'), stun('good'), turn('good')], 'bad', /rarely work here/],
  [[line('signaling', 'good'), line('poll', 'unknown'), stun('good'), turn('good')], 'unknown', /Could not tell whether calls work/],
];
for (const [lines, grade, words] of verdicts) {
  test(`${lines.map(({ outcome }) => outcome.words).join(', ')}: ${words.source}`, () => {
    const verdict = verdictOf(lines);
    assert.equal(verdict.grade, grade);
    assert.match(verdict.words, words);
  });
}

test('there is no verdict before all is known, unless nothing else matters', () => {
  assert.equal(verdictOf([]), null);
  assert.equal(verdictOf([...basics, { kind: 'turn', title: '' }]), null);
  assert.equal(verdictOf([line('signaling', 'bad'), { kind: 'upgrade', title: '' }]).grade, 'bad');
});

test('the report is plain text with all that was found', () => {
  const report = { state: 'done', when: '2026-11-21T12:00:00Z', page: 'https://x.example', server: '0.1.0', protocol: 'h2', browser: 'B', verdict: { grade: 'good', words: 'Calls work here.' } };
  const tests = [{ kind: 'stun', title: 'STUN', outcome: { grade: 'bad', words: 'Silent.', todo: 'Start it.' } }, { kind: 'poll', title: 'News' }];
  const text = asText({ ...report, tests });
  assert.equal(text, `Signalpost network test of https://x.example
2026-11-21T12:00:00Z
Server 0.1.0, over h2
Browser B

Calls work here.

[Problem] STUN: Silent.
    To do: Start it.
[…] News: stopped
`);
});
