import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { join } from '../../web/client/index.js';
import { launch } from './support/browser.js';
import { sharded } from './support/catalogue.js';
import { glance } from './support/glance.js';
import { call } from './support/journey.js';
import { Proxy } from './support/proxies.js';
import { Server } from './support/server.js';
import { Way } from './support/way.js';

const ROOMS = 40;
const FLAGS = ['--token-key', 'kZ3vq9TfWm1x8LrP0aYdBcQe5Ns7Hj2U', '--trusted-proxy', '127.0.0.1', '--rate-join', '0', '--wait-max-ms', '4000', '--log', 'info'];
const CANDIDATES = ['1', '2', '3', '4', null].map((candidate) => ({ type: 'candidate', candidate: candidate && { candidate } }));

// The proxies have self-signed certificates.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
process.setMaxListeners(0);

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

const host = (server) => new URL(server.base).host;
const made = (servers) => servers.reduce((sum, { logs }) => sum + logs.split('room made').length - 1, 0);

/** Two of our clients in a room, and their events. */
async function meet(base, name) {
  const pair = { name, happened: [] };
  pair.rooms = await Promise.all(['Ann', 'Ben'].map((who) => join(base, name, { name: who })));
  for (const room of pair.rooms) {
    room.on('state', ({ state }) => pair.happened.push(state));
    room.on('resumed', () => pair.happened.push('resumed'));
  }
  return pair;
}

/** The signaling of a whole call: an offer, its answer, and the candidates of both. */
async function signal({ rooms: [ann, ben] }, number) {
  const heard = (room, wanted) => new Promise((resolve) => {
    const got = [];
    const hear = (message) => {
      got.push(message);
      if (got.length === wanted) resolve(got.map(({ type, sdp, candidate }) => ({ type, ...(sdp ? { sdp } : { candidate }) })));
    };
    room.on('message', hear);
  });
  const ofBen = [{ type: 'answer', sdp: `answer ${number}` }, ...CANDIDATES];
  const ofAnn = [{ type: 'offer', sdp: `offer ${number}` }, ...CANDIDATES];
  const [atBen, atAnn] = [heard(ben, ofAnn.length), heard(ann, ofBen.length)];
  await Promise.all(ofAnn.map((message) => ann.send(ben.self.id, message)));
  assert.deepEqual(await atBen, ofAnn);
  await Promise.all(ofBen.map((message) => ben.send(ann.self.id, message)));
  assert.deepEqual(await atAnn, ofBen);
}

/** Which servers have the room, and which of these have both peers in it. */
async function look(servers, name) {
  const answers = await Promise.all(servers.map((server) => new Way(server.base).ask(`/v1/rooms/${name}`).catch(() => ({ status: 0 }))));
  const those = (fits) => [...answers.keys()].filter((index) => answers[index].status === 200 && fits(answers[index].body));
  return { have: those(() => true), complete: those(({ occupancy }) => occupancy === 2) };
}

/** The server of each room; fails unless each room is on exactly one. */
async function homes(servers, pairs) {
  return new Map(await Promise.all(pairs.map(async ({ name }) => {
    const { have, complete } = await look(servers, name);
    assert.ok(have.length === 1 && complete.length === 1, `${name} is on ${have}, complete on ${complete}`);
    return [name, have[0]];
  })));
}

/** Resolves when both are in the room again, on a server that `fits`. */
async function moved(servers, { name }, fits) {
  while (!(await look(servers, name)).complete.some(fits)) await glance();
}

async function threeBehind(name) {
  const servers = await Promise.all([1, 2, 3].map(() => Server.start(FLAGS)));
  const [first, ...others] = servers.map(host);
  const proxy = await Proxy.start(sharded(...others)[name], first);
  const way = await new Way(first, proxy).open();
  return { servers, proxy, way };
}

async function making(way) {
  const create = (query, body) => way.ask(`/v1/rooms${query}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  for (const body of [{}, { room: 'ahead' }]) {
    const refused = await create('', body);
    assert.deepEqual([refused.status, refused.body.type], [422, '/problems/invalid']);
    assert.match(refused.body.action, /room=NAME/);
  }
  assert.equal((await create('?room=ahead', { room: 'ahead', capacity: 3 })).status, 201);
  assert.equal((await way.ask('/v1/rooms/ahead')).body.capacity, 3);
  assert.equal((await way.ask('/v1/rooms/%61head')).body.capacity, 3);
}

describe('three servers that share nothing, with rooms shared out by the path', () => {
  for (const name of ['nginx', 'HAProxy']) {
    test(`behind ${name}: each room is on one server, and one server’s death moves only its rooms`, { timeout: 600_000 }, async () => {
      const { servers, proxy, way } = await threeBehind(name);
      const pairs = await Promise.all(Array.from({ length: ROOMS }, (_, number) => meet(proxy.base, `room-${number}`)));
      await Promise.all(pairs.map((pair) => signal(pair, 1)));
      assert.equal(await call(browser, way), 'yes');
      await making(way);
      const before = await homes(servers, pairs);
      const on = (index) => pairs.filter((pair) => before.get(pair.name) === index);
      const shares = servers.map((_, index) => on(index).length);
      assert.ok(shares.every((share) => share >= ROOMS / 10), `unevenly shared: ${shares}`);
      // Includes `call` and `ahead`.
      assert.equal(made(servers), ROOMS + 2);

      const dying = shares.indexOf(Math.max(...shares));
      await servers[dying].kill();
      const alive = servers.filter((_, index) => index !== dying);
      await Promise.all(on(dying).map((pair) => moved(servers, pair, (at) => at !== dying)));
      await Promise.all(pairs.map((pair) => signal(pair, 2)));
      const after = await homes(alive, pairs);
      for (const { name: room, happened } of pairs) {
        const was = servers[before.get(room)];
        if (was === servers[dying]) assert.deepEqual(happened.filter((what) => what === 'resumed'), ['resumed', 'resumed'], room);
        // On a busy machine a poll may fail and be repeated, which does not move the room.
        else assert.deepEqual([was, happened.includes('resumed')], [alive[after.get(room)], false], room);
      }

      // When the server is back, its rooms return to it.
      servers[dying] = await servers[dying].restart();
      await Promise.all(on(dying).map((pair) => moved(servers, pair, (at) => at === dying)));
      await Promise.all(pairs.map((pair) => signal(pair, 3)));
      for (let index = 0; index < 3; index += 1) if (index !== dying) for (const { happened } of on(index)) assert.ok(!happened.includes('resumed'));
      console.log(`${name}: ${shares.join(' + ')} rooms, ${shares[dying]} moved and came back`);

      await Promise.all(pairs.flatMap(({ rooms }) => rooms.map((room) => room.leave())));
      await proxy.stop();
      await Promise.all(servers.map((server) => server.stop()));
    });
  }
});
