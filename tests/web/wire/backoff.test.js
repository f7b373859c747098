import assert from 'node:assert/strict';
import { test } from 'node:test';

import { backoff, retryDelay } from '../../../web/client/wire/backoff.js';
import { Problem, Unreachable } from '../../../web/client/wire/problem.js';

const problem = (status, slug, extras = {}) =>
  new Problem({ type: `/problems/${slug}`, title: slug, status, ...extras }, extras.retryAfterMs);
const highest = () => 1;
const lowest = () => 0;

test('the ceiling doubles with each failure, up to eight seconds', () => {
  const ceilings = [0, 1, 2, 3, 4, 5, 100, 10_000].map((failures) => backoff(failures, highest));
  assert.deepEqual(ceilings, [500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000]);
});

test('the jitter is full: any delay down to nothing', () => {
  assert.equal(backoff(7, lowest), 0);
  assert.equal(backoff(7, () => 0.25), 2_000);
});

test('what the server asks for is waited for, and up to a fifth more', () => {
  assert.equal(retryDelay(problem(429, 'rate-limited', { retryAfterMs: 3_000 }), 0, lowest), 3_000);
  assert.equal(retryDelay(problem(429, 'rate-limited', { retryAfterMs: 3_000 }), 0, highest), 3_600);
  assert.equal(retryDelay(problem(503, 'draining', { retry_after_ms: 700 }), 9, lowest), 700);
  assert.equal(retryDelay(problem(503, 'engine-unavailable', { retryAfterMs: 1_000 }), 0, lowest), 1_000);
  assert.equal(retryDelay(new Unreachable('gateway', { status: 503, retryAfterMs: 2_000 }), 0, lowest), 2_000);
});

test('an unreachable or broken server is tried again, with backoff', () => {
  assert.equal(retryDelay(new Unreachable('network'), 2, highest), 2_000);
  assert.equal(retryDelay(problem(500, 'internal'), 1, highest), 1_000);
});

test('a refusal that time does not heal is final', () => {
  assert.equal(retryDelay(problem(404, 'peer-unknown'), 0, highest), null);
  assert.equal(retryDelay(problem(409, 'room-full', { retryAfterMs: 1_000 }), 0, highest), null);
  assert.equal(retryDelay(problem(503, 'rooms-exhausted', { retryAfterMs: 1_000 }), 0, highest), null);
  assert.equal(retryDelay(new TypeError('a mistake of ours'), 0, highest), null);
});

test('what is asked for is bounded: no storm, and no silence in which the seat is lost', () => {
  const delays = (random) => [0, 1, 499, 30_001, 3_600_000, 2_592_000_000, Infinity].map((ms) => retryDelay(problem(429, 'rate-limited', { retryAfterMs: ms }), 0, random));
  assert.deepEqual(delays(lowest), [500, 500, 500, 30_000, 30_000, 30_000, 30_000]);
  assert.deepEqual(delays(highest), [600, 600, 600, 36_000, 36_000, 36_000, 36_000]);
  assert.equal(retryDelay(new Unreachable('gateway', { retryAfterMs: 0 }), 0, lowest), 500);
});
