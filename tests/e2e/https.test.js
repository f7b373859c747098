import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { heard, launch, say, state, videoRuns, visit } from './support/browser.js';
import { Server } from './support/server.js';

let server, browser;
before(async () => {
  [server, browser] = await Promise.all([Server.start(['--tls-self-signed']), launch()]);
});
after(async () => { await browser.close(); await server.stop(); });

/** Asks with curl over HTTP/2, which uses nghttp2: the status, the version and the body. */
async function curl(path, ...options) {
  const all = ['--silent', '--insecure', '--http2', '--write-out', '\n%{http_code} %{http_version}', ...options, server.base + path];
  const { stdout } = await promisify(execFile)('curl', all, { maxBuffer: 1e7 });
  const at = stdout.lastIndexOf('\n');
  const [status, version] = stdout.slice(at + 1).split(' ');
  assert.equal(version, '2');
  return { status: Number(status), body: stdout.slice(0, at) };
}

test('a call over https runs through HTTP/2, and survives a reload', async () => {
  const options = { room: 'tea', ignoreHTTPSErrors: true };
  const ann = await visit(browser, server.base, { ...options, name: 'Ann' });
  await state(ann, 'waiting');
  const ben = await visit(browser, server.base, { ...options, name: 'Ben' });
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await Promise.all([videoRuns(ann), videoRuns(ben)]);
  await say(ann, 'one lump?');
  await heard(ben, 'one lump?');
  await ben.reload();
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await videoRuns(ann, 1);
  const protocols = await ann.evaluate(() => performance.getEntriesByType('resource').map((entry) => entry.nextHopProtocol));
  assert.deepEqual([...new Set(protocols)], ['h2']);
  await Promise.all([ann, ben].map((page) => page.context().close()));
});

test('curl signals over HTTP/2: large documents, posts, a poll that waits, HEAD', async () => {
  const document = await curl('/openapi.json');
  assert.equal(document.status, 200);
  assert.equal(JSON.parse(document.body).openapi, '3.1.0');
  assert.deepEqual(await curl('/openapi.json', '--head').then(({ status }) => status), 200);
  const json = ['--header', 'content-type: application/json'];
  const join = async (name) => {
    const joined = await curl('/v1/rooms/curl/peers', ...json, '--data', JSON.stringify({ name }));
    assert.equal(joined.status, 201);
    const { peer, token } = JSON.parse(joined.body);
    return { path: `/v1/rooms/curl/peers/${peer.id}/messages`, bearer: ['--header', `authorization: Bearer ${token}`] };
  };
  const [ann, ben] = [await join('Ann'), await join('Ben')];
  const waiting = curl(`${ben.path}?after=0&wait=25`, ...ben.bearer);
  const data = 'x'.repeat(60_000);
  const posted = await curl(ben.path, ...ann.bearer, ...json, '--data', JSON.stringify({ type: 'data', data }));
  assert.equal(posted.status, 202);
  const batch = await waiting;
  assert.equal(batch.status, 200);
  assert.equal(JSON.parse(batch.body).messages[0].data, data);
});

// nghttp2 ends the connection if the first header block after such a setting does not acknowledge it (RFC 7541 section 4.2).
test('a client without an HPACK table is answered', async () => {
  const session = connect(server.base, { rejectUnauthorized: false, settings: { headerTableSize: 0 } });
  await once(session, 'localSettings');
  for (const path of ['/healthz', '/v1/rooms/nobody']) {
    const stream = session.request({ ':path': path });
    const [headers] = await once(stream, 'response');
    assert.equal(headers[':status'], path === '/healthz' ? 200 : 404);
    stream.resume();
    await once(stream, 'end');
  }
  session.close();
});
