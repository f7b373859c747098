import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

import { cases } from '../../clients/whip-conformance/cases/index.js';
import { start } from '../../clients/whip-conformance/example/server.js';
import { freePort } from '../e2e/support/free-port.js';

const suite = new URL('../../clients/whip-conformance/run.js', import.meta.url).pathname;

/** What the suite says of a server. */
async function verdicts(endpoint, ...options) {
  const child = spawn(process.execPath, [suite, '--endpoint', endpoint, '--json', ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = [];
  createInterface({ input: child.stdout }).on('line', (line) => said.push(JSON.parse(line)));
  const [code] = await once(child, 'close');
  return { said, code };
}

const idsOf = (said, verdict) => said.filter((one) => one.verdict === verdict).map(({ id }) => id).sort();

async function tried(t, options, ...more) {
  const server = await start(options);
  t.after(server.close);
  return verdicts(server.endpoint, ...more);
}

test('a server that keeps all rules is said to', async (t) => {
  const { said, code } = await tried(t, { token: 'one' }, '--token', 'one');
  assert.deepEqual(said.filter(({ verdict }) => verdict === 'broken'), []);
  assert.deepEqual(idsOf(said, 'not applicable'), ['one-of-both']);
  assert.equal(said.length, cases.length);
  assert.equal(code, 0);
});

/** What the server breaks, and which cases notice besides that of the same name. */
const DEFECTS = {
  'get-endpoint': [], 'get-session': [], 'answer-type': [], location: [], 'content-type': [], malformed: ['malformed-1', 'malformed-2', 'malformed-3', 'malformed-4'], delete: [], 'delete-any-tag': [],
  sections: [], transport: [], recvonly: ['recvonly-to-sendrecv'], 'recvonly-to-sendrecv': [], 'all-candidates': [], 'gathered-offer': [], bundle: [], 'rtcp-mux': [], 'rtcp-mux-only': [],
  'two-videos': [], 'no-partial-success': [], 'setup-active': [],
  'patch-type': [], 'patch-malformed': [], 'one-of-both': [], etag: [], 'no-tag': [], 'other-tag': ['restart-tag-before'],
  trickle: [], 'trickle-no-etag': [], 'trickle-unknown': [], restart: [], 'restart-etag': ['restart-tag-before'], 'restart-tag-before': ['restart-etag'], 'restart-ice-lite': [], 'restart-ice-options': [], 'restart-ice-pacing': [],
  preflight: [], 'accept-post': [], exposed: [], 'ice-uris': [], 'ice-credentials': [], 'ice-preflight': [], extensions: [], bearer: [], challenge: [],
};

/** Without a session nearly all cases fail, so these are tried alone. */
const ALONE = new Set(['created', 'no-see-other']);

test('for each case there is a server that breaks its rule', () => {
  const broken = new Set([...Object.entries(DEFECTS).flat(2), ...ALONE]);
  assert.deepEqual(cases.map(({ id }) => id).filter((id) => !broken.has(id)), []);
});

for (const id of ALONE) {
  test(`a server with a defect is told: ${id}`, async (t) => {
    const { said, code } = await tried(t, { token: 'one', defect: id }, '--token', 'one', '--only', id);
    assert.deepEqual([said.length, idsOf(said, 'broken'), code], [1, [id], 1]);
  });
}

for (const [defect, others] of Object.entries(DEFECTS)) {
  test(`a server with a defect is told: ${defect}`, async (t) => {
    const { said, code } = await tried(t, { token: 'one', defect }, '--token', 'one', '--strict');
    const expected = [...cases.filter(({ id }) => id === defect).map(({ id }) => id), ...others].sort();
    assert.deepEqual(idsOf(said, 'broken'), expected, JSON.stringify(said.filter(({ verdict }) => verdict === 'broken'), null, 1));
    assert.equal(code, 1);
  });
}

test('a server that does not even answer breaks what it can', async () => {
  const port = await freePort();
  const { said, code } = await verdicts(`http://127.0.0.1:${port}/whip`, '--only', '4.2');
  assert.deepEqual(idsOf(said, 'broken'), cases.filter(({ section }) => section.startsWith('4.2')).map(({ id }) => id).sort());
  assert.equal(code, 1);
});
