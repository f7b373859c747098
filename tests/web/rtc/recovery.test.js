import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Recovery, patience } from '../../../web/client/rtc/recovery.js';
import { FakeClock } from '../support/clock.js';

const impolite = (attempts = 0) => ({ attempts, polite: false });

test('patience grows with the attempts, up to a minute', () => {
  const row = [0, 1, 2, 3, 4, 5, 6].map((attempts) => patience('connecting', impolite(attempts)));
  assert.deepEqual(row, [8_000, 12_000, 18_000, 27_000, 40_500, 60_000, 60_000]);
});

test('the polite end waits half as long again, in every phase', () => {
  for (const phase of ['waiting', 'ignored', 'connecting', 'interrupted']) {
    assert.equal(patience(phase, { attempts: 0, polite: true }), 1.5 * patience(phase, impolite()));
  }
});

test('one phase is watched at a time; rest watches none, calm forgets the attempts', async () => {
  const clock = new FakeClock();
  const repairs = [];
  const recovery = new Recovery({ clock }, () => false, (phase) => repairs.push(phase));
  recovery.watch('connecting');
  recovery.watch('interrupted');
  await clock.advance(60_000);
  assert.deepEqual(repairs, ['interrupted']);
  recovery.attempts = 3;
  recovery.watch('connecting');
  recovery.rest();
  await clock.advance(60_000);
  assert.equal(recovery.attempts, 3);
  recovery.watch('connecting');
  recovery.calm();
  await clock.advance(60_000);
  assert.equal(recovery.attempts, 0);
  assert.deepEqual(repairs, ['interrupted']);
});
