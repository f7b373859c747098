import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ALL, MESSAGES, python, verdicts, wrongs } from './kit.js';

test('our client for Python passes all scenarios', async () => {
  const said = await verdicts([python, 'adapters/python.py'], MESSAGES);
  assert.deepEqual(wrongs(said), {});
  assert.equal(said.length, ALL);
});
