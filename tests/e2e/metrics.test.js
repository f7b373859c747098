import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { after, before, test } from 'node:test';

import { join } from '../../web/client/index.js';
import { glance } from './support/glance.js';
import { Prometheus } from './support/prometheus.js';
import { Server } from './support/server.js';

let server;
before(async () => { server = await Server.start(['--lease-ms', '5000', '--stun-listen', '127.0.0.1:0', '--turn-relay', 'closed']); });
after(() => server.stop());

const metrics = async () => (await fetch(`${server.base}/metrics`)).text();

/** Sends a STUN request (RFC 8489, section 5) and an invalid datagram. Resolves with the response. */
async function askStun(url) {
  const port = Number(url.split(':').at(-1));
  const socket = createSocket('udp4');
  const question = Buffer.from('000100002112a442000102030405060708090a0b', 'hex');
  socket.send('hello', port, '127.0.0.1');
  socket.send(question, port, '127.0.0.1');
  await once(socket, 'message');
  socket.close();
}

/** Lets coturn's client exchange packets through the relay until it is stopped. */
function relay(servers) {
  const { urls, username, credential } = servers.find((one) => one.credential);
  const port = urls[0].split(/[:?]/)[2];
  const child = spawn('turnutils_uclient', ['-y', '-c', '-n', '100000', '-u', username, '-w', credential, '-p', port, '127.0.0.1'], { stdio: 'ignore' });
  process.once('exit', () => child.kill('SIGKILL'));
  return child;
}

/** Sends an incomplete request, and another whenever the server gives one up, until the function that is returned is called. */
function inFlight() {
  let half, ended = false;
  const send = () => {
    if (ended) return;
    half = request(`${server.base}/v1/rooms`, { method: 'POST', headers: { 'Content-Type': 'application/json', 'Content-Length': 8_000 } });
    half.on('error', () => {}).on('close', send).write(' '.repeat(4_000));
  };
  send();
  return () => {
    ended = true;
    half.destroy();
  };
}

test('the figures are named by the conventions of Prometheus', async () => {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: await metrics(), encoding: 'utf8' });
  assert.deepEqual([status, stdout + stderr], [0, '']);
});

test('every query of the dashboard in deploy/ shows something in a real Prometheus, and every figure is in one', async () => {
  const dashboard = JSON.parse(await readFile(new URL('../../deploy/grafana-dashboard.json', import.meta.url), 'utf8'));
  const queries = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  const families = [...(await metrics()).matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name]) => name);
  const asked = queries.flatMap((query) => query.match(/signalpost_\w+/g)).map((name) => name.replace(/_(bucket|sum|count)$/, ''));
  assert.deepEqual([...new Set(asked)].sort(), families.sort());

  const prometheus = await Prometheus.start(new URL(server.base).host);
  await prometheus.has('up');
  // Two peers that keep polling, one that finds their room full, and one elsewhere that does not poll, whose lease ends meanwhile.
  const [ann, ben] = [await join(server.base, 'tea', { name: 'Ann' }), await join(server.base, 'tea', { name: 'Ben' })];
  const enter = (room) => fetch(`${server.base}/v1/rooms/${room}/peers`, { method: 'POST' });
  assert.equal((await enter('tea')).status, 409);
  const silent = await (await enter('coffee')).json();
  await ann.send(ben.self.id, { type: 'data', data: 'are you there?' });
  await ann.send(ann.self.id, { type: 'data', data: 'nobody' });
  // Alone in the room, she was given none.
  while (!ann.iceServers.some(({ credential }) => credential)) await glance();
  const relayed = relay(ann.iceServers);
  await askStun(silent.ice_servers[0].urls[0]);
  const end = inFlight();
  try {
    for (const query of queries) await prometheus.has(query.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '1m'));
  } finally {
    end();
  }
  relayed.kill('SIGKILL');
  await Promise.all([ann.leave(), ben.leave()]);
  await prometheus.stop();
});
