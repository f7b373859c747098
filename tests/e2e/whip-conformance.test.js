import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';

import { launch, state, visit } from './support/browser.js';
import { Server } from './support/server.js';
import { endpoint } from './support/whip.js';

const suite = new URL('../../clients/whip-conformance/run.js', import.meta.url).pathname;
const ORIGIN = 'https://studio.example';
const SECRET = 'two lumps of sugar';

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(['--room-capacity', '8', '--cors-origin', ORIGIN]), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

/** The suite's verdicts on this server, with a page that answers. */
async function verdicts(room, ...options) {
  const args = [suite, '--endpoint', endpoint(server, room), '--origin', ORIGIN, '--json', '--strict', ...options];
  const text = await new Promise((resolve) => { execFile(process.execPath, args, (error, stdout) => resolve(stdout)); });
  return text.trim().split('\n').map((line) => JSON.parse(line));
}

for (const [name, secret] of [['open', ''], ['with a secret', SECRET]]) {
  test(`every rule of RFC 9725 is kept, in a room that is ${name}`, async (t) => {
    const room = `rfc-${name.replaceAll(' ', '-')}`;
    const page = await visit(browser, server.base, { room, name: 'Ann', ...(secret && { prepare: `history.replaceState(null, '', location.href + '#secret=${secret}')` }) });
    t.after(() => page.context().close());
    await state(page, 'waiting');
    const said = await verdicts(room, ...(secret ? ['--token', secret] : []));
    const told = (one) => `${one.section} ${one.level} ${one.id}: ${one.seen}; expected: ${one.expected}`;
    assert.deepEqual(said.filter(({ verdict }) => verdict === 'broken').map(told), []);
    t.diagnostic(said.filter(({ verdict }) => verdict === 'not applicable').map(({ id, seen }) => `${id}: ${seen}`).join('\n'));
    assert.ok(said.filter(({ verdict }) => verdict === 'kept').length > 35);
  });
}
