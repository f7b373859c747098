import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ALL, MESSAGES, verdicts, wrongs } from './kit.js';

test('our client for JavaScript passes all scenarios', async () => {
  const said = await verdicts([process.execPath, 'adapters/javascript.js'], MESSAGES);
  assert.deepEqual(wrongs(said), {});
  assert.equal(said.length, ALL);
});
