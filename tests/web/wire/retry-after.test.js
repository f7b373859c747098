import assert from 'node:assert/strict';
import { test } from 'node:test';

import { JOIN, SEND, World, joined, peer, poll } from '../support/world.js';

const ICE = 'GET /v1/rooms/tea/peers/ann/ice-servers';
const MINUTE_MS = 60_000;

/** Implausible values from proxies, servers or mistakes. Regression: they were obeyed: 100 requests a second, or an hour of silence. */
const SAID = ['0', '2592000', '-5', '1e9', 'soon', '', '9'.repeat(400), 'Sat, 28 Nov 2099 12:00:00 GMT', 'Fri, 31 Dec 1999 23:59:59 GMT'];

/** Refuses matching requests for this long, and counts them. */
async function refused(world, line, ms, refuse) {
  let count = 0;
  for (let passed = 0; passed < ms; passed += 250) {
    await world.clock.advance(250);
    for (const asked of world.open.splice(0)) {
      if (asked.aborted || asked.line !== line) continue;
      count += 1;
      await refuse(asked);
    }
  }
  return count;
}

const ways = {
  'a gateway': (said) => (asked) => asked.intercept(503, '', { 'Retry-After': said }),
  'a gateway that limits': (said) => (asked) => asked.intercept(429, '', { 'Retry-After': said }),
  'a server that limits': (said) => (asked) => asked.refuse(429, 'rate-limited', {}, { 'Retry-After': said }),
  'a server that stops': (said) => (asked) => asked.refuse(503, 'draining', {}, { 'Retry-After': said }),
};

for (const [who, way] of Object.entries(ways)) {
  for (const said of SAID) {
    test(`polls, refused by ${who} with Retry-After: ${said.slice(0, 40)}`, async () => {
      const world = new World();
      const { poll: first } = await world.entered();
      await way(said)(first);
      const count = await refused(world, poll(), MINUTE_MS, way(said));
      assert.ok(count >= 1 && count <= 120, `${count} polls in a minute`);
    });
  }
}

const begin = {
  join: async (world) => { void world.join().catch(() => {}); return JOIN; },
  send: async (world) => { const { room } = await world.entered({ peers: [peer('ben')] }); void room.send('ben', { type: 'data', data: 1 }).catch(() => {}); return SEND; },
  'ICE servers': async (world) => { await world.entered({ ice_servers: [], ice_ttl_s: 60 }); await world.clock.advance(30_000); return ICE; },
  'return to a full room': async (world) => { const { poll: first } = await world.entered(); await first.refuse(410, 'peer-gone'); return JOIN; },
};

for (const [what, start] of Object.entries(begin)) {
  for (const said of ['0', '2592000', 'soon']) {
    test(`${what}, refused with Retry-After: ${said}`, async () => {
      const world = new World();
      const line = await start(world);
      const refuse = what === 'return to a full room'
        ? (asked) => asked.refuse(409, 'room-full', { frees_in_ms: { 0: 0, 2592000: 2_592_000_000, soon: 'soon' }[said] })
        : ways['a gateway'](said);
      const count = await refused(world, line, MINUTE_MS, refuse);
      assert.ok(count >= 1 && count <= 120, `${count} requests in a minute`);
    });
  }
}

test('a mailbox that is full is left be for as long', async () => {
  for (const said of ['0', '2592000']) {
    const world = new World();
    const { room } = await world.entered({ peers: [peer('ben')] });
    void room.send('ben', { type: 'data', data: 1 }).catch(() => {});
    const count = await refused(world, SEND, MINUTE_MS, (asked) => asked.refuse(429, 'mailbox-full', {}, { 'Retry-After': said }));
    assert.ok(count >= 1 && count <= 120, `${count} requests in a minute`);
  }
});

for (const ttl of [0, -1, 'soon', undefined]) {
  test(`TURN credentials that hold for ${ttl} s are not renewed without a pause`, async () => {
    const world = new World();
    await world.entered({ ice_servers: [], ice_ttl_s: ttl });
    const count = await refused(world, ICE, MINUTE_MS, (asked) => asked.answer(200, { ice_servers: [], ttl_s: ttl }));
    assert.ok(count <= 12, `${count} in a minute`);
  });
}

test('a join that is told an hour is answered when the server is back', async () => {
  const world = new World();
  const joining = world.join();
  await (await world.asked(JOIN)).intercept(503, '', { 'Retry-After': '3600' });
  await world.clock.advance(36_000);
  await (await world.asked(JOIN)).answer(201, joined());
  await joining;
});
