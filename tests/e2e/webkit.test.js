import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { join } from '../../web/client/index.js';
import { Server } from './support/server.js';
import { WebKit } from './support/webkit.js';

// WebKitGTK has no RTCPeerConnection. What else Safari does is in safari.test.js, as far as it can be simulated.

let server, webkit;
before(async () => { [server, webkit] = await Promise.all([Server.start(['--wait-max-ms', '2000']), WebKit.start()]); });
after(async () => { await webkit.stop(); await server.stop(); });

test('where there is no WebRTC the page says so and joins nothing, and the network test, too', async () => {
  await webkit.open(`${server.base}/?room=tea&name=Wanda`);
  await webkit.until(() => document.body?.dataset.loaded === 'true' && !document.querySelector('#join').disabled);
  assert.equal(await webkit.evaluate(() => typeof RTCPeerConnection), 'undefined', 'a build with WebRTC: this proves nothing');
  const said = () => document.querySelector('#lobby-status').textContent;
  assert.match(await webkit.evaluate(said), /^Calls cannot be made in this browser: it has no WebRTC/);
  await webkit.click('#join');
  assert.match(await webkit.evaluate(said), /^Calls cannot be made in this browser/);
  assert.equal((await fetch(`${server.base}/v1/rooms/tea`)).status, 404, 'it took a seat');

  await webkit.open(`${server.base}/network-test`);
  await webkit.until(() => document.querySelector('#start')?.disabled === false);
  await webkit.click('#start');
  await webkit.until(() => document.body.dataset.state === 'done');
  const { verdict, tests } = await webkit.evaluate(() => window.signalpost.report);
  assert.match(verdict.words, /^Calls cannot be made in this browser: WebRTC is missing/);
  const grades = Object.fromEntries(tests.map(({ kind, outcome }) => [kind, outcome.grade]));
  assert.deepEqual(grades, { signaling: 'good', upgrade: 'good', webrtc: 'bad', poll: 'good' });
});

test('the client’s signaling works in WebKit: messages in both directions, in order, and a seat that is given up', async (t) => {
  const room = await join(server.base, 'signals', { name: 'Ben' });
  t.after(() => room.leave());
  await webkit.open(`${server.base}/network-test`);
  const met = new Promise((resolve) => { room.on('peer-joined', resolve); });
  const got = [];
  const answered = new Promise((resolve) => { room.on('message', ({ data }) => (got.push(data), got.length === 3 && resolve())); });
  await webkit.evaluate(async () => {
    const { join } = await import('/client/index.js');
    window.heard = [];
    window.room = await join('/', 'signals', { name: 'Wanda' });
    window.room.on('message', ({ data }) => window.heard.push(data));
  });
  const { id, name } = await met;
  assert.equal(name, 'Wanda');
  await Promise.all([1, 2, 3].map((data) => room.send(id, { type: 'data', data })));
  await webkit.until(() => window.heard.length === 3);
  assert.deepEqual(await webkit.evaluate(() => window.heard), [1, 2, 3]);
  await webkit.evaluate(() => Promise.all(['a', 'b', 'c'].map((data) => window.room.send(null, { type: 'data', data }))).then(() => null));
  await answered;
  assert.deepEqual(got, ['a', 'b', 'c']);
  const left = new Promise((resolve) => { room.on('peer-left', ({ reason }) => resolve(reason)); });
  await webkit.evaluate(() => window.room.leave());
  assert.equal(await left, 'left');
});
