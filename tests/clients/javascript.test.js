import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ALL, MESSAGES, verdicts, wrongs } from './kit.js';
import { deno } from './runtimes.js';

test('our client for JavaScript passes all scenarios', async () => {
  const said = await verdicts([process.execPath, 'adapters/javascript.js'], MESSAGES);
  assert.deepEqual(wrongs(said), {});
  assert.equal(said.length, ALL);
});

/** What depends on how a runtime fetches: broken and slow connections, restarts, and many messages. */
const FETCHING = 'join,messages,many,order,fault,black-hole,latency,restart,drain,idle,goodbye';

test('our client for JavaScript in Deno passes what depends on the runtime', async () => {
  assert.deepEqual(wrongs(await verdicts([...deno, 'adapters/javascript.js'], ['--only', FETCHING, ...MESSAGES])), {});
});
