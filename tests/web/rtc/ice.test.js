import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settled } from '../support/clock.js';
import { connected } from '../support/connected.js';
import { FakePeerConnection } from '../support/peer-connection.js';
import { JOIN, World, joined, peer, poll } from '../support/world.js';

const ICE = 'GET /v1/rooms/tea/peers/ann/ice-servers';
const turn = (credential) => [{ urls: 'turn:turn.example', username: 'u', credential }];
const renewals = (world) => world.open.filter(({ line }) => line === ICE).length;

test('TURN credentials are renewed halfway through their life, from the first on', async () => {
  const world = new World();
  const { room } = await world.entered({ ice_servers: turn('first'), ice_ttl_s: 60 });
  await world.clock.advance(30_000 - 1);
  assert.equal(renewals(world), 0);
  await world.clock.advance(1);
  await (await world.asked(ICE)).answer(200, { ice_servers: turn('second'), ttl_s: 3_600 });
  assert.equal(room.iceServers[0].credential, 'second');
  await world.clock.advance(1_800_000 - 1);
  assert.equal(renewals(world), 0);
  await world.clock.advance(1);
  assert.equal(renewals(world), 1);
});

test('no cache has seen the URL of a renewal', async () => {
  // Regression: a cache-first service worker answered each with the first response, until its credentials had expired.
  const world = new World();
  await world.entered({ ice_servers: turn('first'), ice_ttl_s: 60 });
  const urls = new Set();
  for (let renewal = 0; renewal < 3; renewal += 1) {
    await world.clock.advance(30_000);
    const asked = await world.asked(ICE);
    urls.add(asked.url.href);
    await asked.answer(200, { ice_servers: turn('next'), ttl_s: 60 });
  }
  assert.equal(urls.size, 3);
});

test('what does not expire is not renewed', async () => {
  const world = new World();
  await world.entered({ ice_servers: [{ urls: 'stun:stun.example' }], ice_ttl_s: null });
  await world.clock.advance(1_000);
  await world.quiet();
  assert.equal(world.clock.pending, 1, 'the time-out of the poll, and nothing else');
});

test('credentials that cannot be renewed are asked for again', async () => {
  const world = new World();
  const { room } = await world.entered({ ice_servers: turn('first'), ice_ttl_s: 60 });
  await world.clock.advance(30_000);
  await (await world.asked(ICE)).refuse(429, 'rate-limited', {}, { 'Retry-After': '15' });
  await world.clock.advance(16_501);
  await (await world.asked(ICE)).cut();
  await world.clock.advance(5_000);
  await (await world.asked(ICE)).answer(200, { ice_servers: [], ttl_s: null });
  assert.deepEqual(room.iceServers, []);
});

test('a renewal that a new seat has overtaken does not ask again by itself', async () => {
  const world = new World();
  const { poll: first } = await world.entered({ ice_servers: turn('first'), ice_ttl_s: 60 });
  await world.clock.advance(30_000);
  const slow = await world.asked(ICE);
  await first.refuse(410, 'peer-gone');
  await (await world.asked(JOIN)).answer(201, joined({ ice_servers: turn('second'), ice_ttl_s: 60 }));
  await slow.cut();
  await world.clock.advance(29_999);
  assert.equal(renewals(world), 0);
  await world.clock.advance(1);
  assert.equal(renewals(world), 1);
});

test('taking the seat again brings current servers', async () => {
  const world = new World();
  const { room, poll: first } = await world.entered({ ice_servers: [{ urls: 'stun:old.example' }] });
  await first.refuse(410, 'peer-gone');
  await (await world.asked(JOIN)).answer(201, joined({ ice_servers: [{ urls: 'stun:new.example' }] }));
  assert.deepEqual(room.iceServers, [{ urls: 'stun:new.example' }]);
});

test('renewed servers reach the connections that there are, and those to come', async () => {
  const world = new World();
  world.environment.RTCPeerConnection = FakePeerConnection;
  const { room } = await world.entered({ ice_servers: turn('first'), ice_ttl_s: 60, peers: [peer('ben')] });
  const call = room.call({ configuration: { iceTransportPolicy: 'relay' } });
  const { pc } = call.links.get('ben');
  assert.equal(pc.configuration.iceServers[0].credential, 'first');
  pc.connect();
  await world.clock.advance(30_000);
  await (await world.asked(ICE)).answer(200, { ice_servers: turn('second'), ttl_s: 60 });
  assert.deepEqual(pc.configuration, { iceServers: turn('second'), iceTransportPolicy: 'relay' });
  call.links.get('ben').offer();
  assert.equal(call.links.get('ben').pc.configuration.iceServers[0].credential, 'second');
});

test('a connection that the app closed itself is left alone', async () => {
  const { ben } = await connected();
  const pc = ben.pc('ann');
  pc.setConfiguration = () => assert.fail('it is closed');
  pc.close();
  ben.room.emit('ice-servers', turn('second'));
  await settled();
});

test('servers of the app’s own are not replaced by the room’s', async () => {
  const own = [{ urls: 'turn:own.example', username: 'u', credential: 'own' }];
  const { ben } = await connected({ configuration: { iceServers: own } });
  ben.room.iceServers = turn('second');
  ben.room.emit('ice-servers', ben.room.iceServers);
  assert.deepEqual(ben.pc('ann').configuration.iceServers, own);
});

// A stranger who took seat after seat alone drew credentials for a relay with each.
test('what was withheld from a peer that was alone is fetched before it hears who has come', async () => {
  const world = new World();
  const { room, events, poll: first } = await world.entered({ ice_servers: [], ice_ttl_s: 0 });
  await world.clock.advance(20_000);
  assert.equal(renewals(world), 0);
  const offer = { seq: 2, from: 'ben', type: 'data', data: 'hello' };
  await first.answer(200, { messages: [{ seq: 1, type: 'peer-joined', peer: peer('ben') }, offer], cursor: 2 });
  await world.asked(poll());
  const asked = await world.asked(ICE);
  assert.deepEqual(events.filter(({ name }) => name !== 'wire' && name !== 'ice-servers'), []);
  await asked.answer(200, { ice_servers: turn('first'), ttl_s: 600 });
  assert.equal(room.iceServers[0].credential, 'first');
  assert.deepEqual(events.map(({ name }) => name).filter((name) => name === 'peer-joined' || name === 'message'), ['peer-joined', 'message']);
});

test('a server that does not give them holds nobody up for longer than three seconds', async () => {
  const world = new World();
  const { events, poll: first } = await world.entered({ ice_servers: [], ice_ttl_s: 0 });
  await first.answer(200, { messages: [{ seq: 1, type: 'peer-joined', peer: peer('ben') }], cursor: 1 });
  await world.asked(poll());
  await world.asked(ICE);
  await world.clock.advance(2_999);
  assert.equal(events.some(({ name }) => name === 'peer-joined'), false);
  await world.clock.advance(1);
  assert.equal(events.some(({ name }) => name === 'peer-joined'), true);
});
