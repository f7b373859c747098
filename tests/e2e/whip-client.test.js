import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as path } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { addressOf, commands } from '../../web/app/whip/lines.js';
import { launch, state, videoRuns, visit } from './support/browser.js';
import { redirecting } from './support/redirecting.js';
import { Server } from './support/server.js';
import { isAudible, runsForAMinute } from './support/whip.js';

let server, browser, stub;
before(async () => {
  [server, browser, stub] = await Promise.all([Server.start(['--room-capacity', '4']), launch(), mkdtemp(path(tmpdir(), 'no-upnp-'))]);
  const source = new URL('native/no-upnp.c', import.meta.url).pathname;
  await promisify(execFile)('cc', ['-shared', '-fPIC', '-Wl,-soname,libgupnp-igd-1.0.so.4', '-o', path(stub, 'libgupnp-igd-1.0.so.4'), source]);
});
after(async () => { await browser.close(); await server.stop(); await rm(stub, { recursive: true }); });

/** The command that the page shows, with a small picture, in a shell. */
function whipClient(t, base, room, ...options) {
  const [, { command }] = commands(addressOf(`${base}/`, room, 'whip', { name: 'GStreamer' }), '');
  const small = command.replace('! videoconvert', '! video/x-raw,width=320,height=180,framerate=15/1 ! videoconvert');
  assert.notEqual(small, command);
  const child = spawn('sh', ['-c', ['exec', small, ...options].join(' ')], { env: { ...process.env, LD_LIBRARY_PATH: stub }, stdio: ['ignore', 'pipe', 'pipe'] });
  process.once('exit', () => child.kill('SIGKILL'));
  t.after(() => child.kill('SIGKILL'));
  child.log = '';
  for (const output of [child.stdout, child.stderr]) output.setEncoding('utf8').on('data', (part) => { child.log += part; });
  return child;
}

for (const [name, options] of Object.entries({ 'candidates by PATCH': [], 'all candidates in the offer': ['-n'] })) {
  test(`simple-whip-client, ${name}: a picture for a minute, and sound`, async (t) => {
    const room = `gst-${options.length}`;
    const page = await visit(browser, server.base, { room, name: 'Ann' });
    t.after(() => page.context().close());
    await state(page, 'waiting');
    const client = whipClient(t, server.base, room, ...options);
    const ended = once(client, 'exit').then(([code]) => assert.fail(`it ended with ${code}: ${client.log}`));
    ended.catch(() => {});
    await Promise.race([ended, (async () => {
      await state(page, 'connected');
      await videoRuns(page);
      await isAudible(page);
      await runsForAMinute(page);
    })()]);
    client.kill('SIGINT');
    await page.getByTestId('remote-tile').waitFor({ state: 'detached' });
    await ended.catch(() => {});
  });
}

// RFC 9725, section 4.5. This client looks for its session where it was told to call, so it is redirected there, too.
test('simple-whip-client is redirected, with candidates and at the end as well', async (t) => {
  const page = await visit(browser, server.base, { room: 'redirected', name: 'Ann' });
  t.after(() => page.context().close());
  await state(page, 'waiting');
  const proxy = await redirecting(t, server.base);
  const client = whipClient(t, proxy.base, 'redirected');
  await state(page, 'connected');
  await videoRuns(page, 1);
  client.kill('SIGINT');
  await page.getByTestId('remote-tile').waitFor({ state: 'detached' });
  assert.deepEqual([...new Set(proxy.methods)], ['POST', 'PATCH', 'DELETE'], client.log);
});
