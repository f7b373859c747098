import assert from 'node:assert/strict';
import { test } from 'node:test';

import { arrived, elapsed, nextDeadline, received, returned } from '../../../web/client/room/room-state.js';
import { joined, names, peer } from '../support/world.js';

const [ann, ben, cem, dee] = [peer('ann', 3), peer('ben', 1), peer('cem', 2), peer('dee', 4)];
const entry = (answer, resumed = false) => ({ joined: joined({ self: ann, ...answer }), resumed });
const ids = (map) => [...map.keys()];
const signal = (seq, type = 'offer') => ({ seq, from: 'ben', type, sdp: 'v=0' });

test('peers come and go in the order of the mailbox', () => {
  const before = arrived(entry({ peers: [ben] }));
  const { state, events } = received(before, {
    messages: [
      { seq: 1, type: 'peer-joined', peer: cem },
      { seq: 2, type: 'peer-left', peer: 'ben', reason: 'left' },
      { seq: 3, from: 'cem', type: 'data', data: 'hi' },
    ],
    cursor: 3,
  });
  assert.deepEqual(names(events), ['peer-joined', 'peer-left', 'message']);
  assert.deepEqual(events[1].detail, { peer: ben, reason: 'left' });
  assert.deepEqual(ids(state.peers), ['cem']);
  assert.equal(state.cursor, 3);
});

test('what has been read is not read again', () => {
  const before = { ...arrived(entry({ peers: [ben] })), cursor: 5 };
  const { events, state } = received(before, { messages: [signal(5), signal(6)], cursor: 6 });
  assert.deepEqual(events.map(({ detail }) => detail.seq), [6]);
  assert.equal(state.cursor, 6);
});

test('a refreshed page is spared the signaling of its earlier life, but not its data', () => {
  const before = arrived(entry({ peers: [ben], cursor: 4, latest: 7 }, true));
  const { events } = received(before, {
    messages: [signal(5), { seq: 6, from: 'ben', type: 'data', data: 1 }, signal(7, 'bye'), signal(8)],
    cursor: 8,
  });
  assert.deepEqual(events.map(({ detail }) => detail.seq), [6, 8]);
});

test('somebody new is told everything', () => {
  const { events } = received(arrived(entry({ peers: [ben], latest: 1 })), { messages: [signal(1)], cursor: 1 });
  assert.equal(events.length, 1);
});

test('what a newer server says is ignored', () => {
  const { events, state } = received(arrived(entry()), { messages: [{ seq: 1, type: 'weather' }], cursor: 1 });
  assert.deepEqual(events, []);
  assert.equal(state.cursor, 1);
});

test('coming back to the same mailbox changes nothing, not even the cursor', () => {
  const before = { ...arrived(entry({ peers: [ben] })), cursor: 6 };
  const { state, events } = returned(before, entry({ peers: [cem], cursor: 4, latest: 9 }, true), 0);
  assert.deepEqual(ids(state.peers), ['ben'], 'the roster is older than what is known');
  assert.equal(state.cursor, 6);
  assert.deepEqual(events, [{ name: 'resumed', detail: { lost: false, renamed: false, roster: [ben] } }]);
});

test('a cursor that the mailbox cannot have given is dropped', () => {
  const before = { ...arrived(entry()), cursor: 12 };
  assert.equal(returned(before, entry({ cursor: 4, latest: 9 }, true), 0).state.cursor, 4);
  assert.equal(returned(before, entry({ cursor: 20, latest: 20 }, true), 0).state.cursor, 20);
});

test('a mailbox that has just been emptied, or not been touched, is still the same', () => {
  const before = { ...arrived(entry()), cursor: 6 };
  for (const [cursor, latest] of [[6, 9], [4, 6], [6, 6]]) {
    assert.equal(returned(before, entry({ cursor, latest }, true), 0).events[0].detail.lost, false);
  }
});

test('with a new mailbox the absent are given a lease to come back', () => {
  const before = arrived(entry({ peers: [ben, cem] }));
  const { state, events } = returned(before, entry({ peers: [cem, dee], cursor: 1_000 }), 5_000);
  assert.deepEqual(names(events), ['peer-joined', 'resumed']);
  assert.equal(events[0].detail, dee);
  assert.deepEqual(events[1].detail, { lost: true, renamed: false, roster: [cem, dee] });
  assert.deepEqual(ids(state.peers).sort(), ['ben', 'cem', 'dee']);
  assert.equal(nextDeadline(state), 50_000);
});

test('a peer that comes back in time was never away', () => {
  const { state } = returned(arrived(entry({ peers: [ben] })), entry({ cursor: 1_000 }), 0);
  const later = received(state, { messages: [{ seq: 1_001, type: 'peer-joined', peer: ben }], cursor: 1_001 });
  assert.deepEqual(later.events, []);
  assert.equal(nextDeadline(later.state), null);
  assert.deepEqual(elapsed(later.state, 1e9).events, []);
});

test('a peer that does not has expired', () => {
  const { state } = returned(arrived(entry({ peers: [ben] })), entry({ cursor: 1_000 }), 0);
  assert.deepEqual(elapsed(state, 44_999).events, []);
  const late = elapsed(state, 45_000);
  assert.deepEqual(late.events, [{ name: 'peer-left', detail: { peer: ben, reason: 'expired' } }]);
  assert.deepEqual(ids(late.state.peers), []);
});

test('a second loss does not lengthen the wait', () => {
  const once = returned(arrived(entry({ peers: [ben] })), entry({ cursor: 1_000 }), 0).state;
  const met = received(once, { messages: [{ seq: 1_001, type: 'peer-joined', peer: cem }], cursor: 1_001 }).state;
  const twice = returned(met, entry({ cursor: 2_000 }), 30_000).state;
  assert.deepEqual([...twice.unconfirmed], [['ben', 45_000], ['cem', 75_000]]);
  assert.equal(nextDeadline(twice), 45_000, 'the first of them');
});

test('under a new id everybody else is new too', () => {
  const before = arrived(entry({ peers: [ben] }));
  const { state, events } = returned(before, { joined: joined({ self: peer('eve'), peers: [dee] }), resumed: false }, 0);
  assert.deepEqual(events.at(-1), { name: 'resumed', detail: { lost: true, renamed: true, roster: [dee] } });
  assert.equal(state.self.id, 'eve');
  assert.deepEqual([...state.unconfirmed.keys()], ['ben']);
});
