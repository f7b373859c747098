import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ALL, MESSAGES, rust, verdicts, wrongs } from './kit.js';

test('our client for Rust passes all scenarios', async () => {
  const said = await verdicts([rust], MESSAGES);
  assert.deepEqual(wrongs(said), {});
  assert.equal(said.length, ALL);
});
