import assert from 'node:assert/strict';
import { test } from 'node:test';

import { python, verdicts, wrongs } from './kit.js';

/** What `example/short.py` leaves out: losing its seat and finding it again, and proxies that limit it. */
const SHORT = 'join,messages,order,unknown-recipient,full-mailbox,newer-server,fault,goodbye,latency';

test('the short example passes what it was written for', async () => {
  assert.deepEqual(wrongs(await verdicts([python, 'example/short.py'], ['--only', SHORT])), {});
});

test('the whole example passes what the short one leaves out', async () => {
  const only = 'messages,resume,restart,peer-gone,full-return,cursor-gone,drain,superseded,kicked,room-closed,idle,cache';
  assert.deepEqual(wrongs(await verdicts([python, 'example/whole.py'], ['--only', only])), {});
});
