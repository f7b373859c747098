import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';

import { cases } from '../../clients/whip-conformance/cases/index.js';
import { launch, state, visit } from './support/browser.js';
import { Server } from './support/server.js';
import { endpoint } from './support/whip.js';

const suite = new URL('../../clients/whip-conformance/run.js', import.meta.url).pathname;
const ORIGIN = 'https://studio.example';
const SECRET = 'two lumps of sugar';

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(['--room-capacity', '8', '--cors-origin', ORIGIN]), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

/**
 * What is not asked of every server, and this one has no part in: extensions; ICE servers, of which it is told none here; refusing either trickle
 * or restarts; and 401, because who lacks a secret gets 403.
 */
const OPTIONAL = ['challenge', 'extensions', 'ice-credentials', 'ice-uris', 'one-of-both'];

/** In a room without a secret, nothing asks for one. */
const NO_SECRET = ['bearer'];

/** The suite's verdicts on this server, with a page that answers; and its exit code. */
async function verdicts(room, ...options) {
  const args = [suite, '--endpoint', endpoint(server, room), '--origin', ORIGIN, '--json', '--strict', ...options];
  const { code, text } = await new Promise((resolve) => { execFile(process.execPath, args, (error, stdout) => resolve({ code: error ? error.code : 0, text: stdout })); });
  return { code, said: text.trim().split('\n').map((line) => JSON.parse(line)) };
}

for (const [name, secret] of [['open', ''], ['with a secret', SECRET]]) {
  test(`every rule of RFC 9725 is kept, in a room that is ${name}`, async (t) => {
    const room = `rfc-${name.replaceAll(' ', '-')}`;
    const page = await visit(browser, server.base, { room, name: 'Ann', ...(secret && { prepare: `history.replaceState(null, '', location.href + '#secret=${secret}')` }) });
    t.after(() => page.context().close());
    await state(page, 'waiting');
    const { code, said } = await verdicts(room, ...(secret ? ['--token', secret] : []));
    const told = (one) => `${one.section} ${one.level} ${one.id}: ${one.seen}; expected: ${one.expected}`;
    assert.deepEqual(said.filter(({ verdict }) => verdict === 'broken').map(told), []);
    const others = said.filter(({ verdict }) => verdict === 'not applicable');
    assert.deepEqual(others.map(({ id }) => id).sort(), [...OPTIONAL, ...(secret ? [] : NO_SECRET)].sort(), JSON.stringify(others, null, 1));
    assert.deepEqual([said.length, code], [cases.length, 0]);
  });
}
