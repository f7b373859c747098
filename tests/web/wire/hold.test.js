import assert from 'node:assert/strict';
import { test } from 'node:test';

import { MIN_MS, answered, cut, freshHold, timedOut } from '../../../web/client/wire/hold.js';

test('it asks for 25 s, or for less if the server allows less', () => {
  assert.equal(freshHold(55_000).ms, 25_000);
  assert.equal(freshHold(10_000).ms, 10_000);
});

test('a gateway that gives up halves it, and never below five seconds', () => {
  const first = timedOut(freshHold(55_000), 24_000);
  assert.equal(first.ms, 12_500);
  const worn = [1, 2, 3].reduce((hold) => timedOut(hold, hold.ms), first);
  assert.equal(worn.ms, MIN_MS);
});

test('it learns the limit at once from a gateway that gives up long before', () => {
  assert.equal(timedOut(freshHold(55_000), 10_000).ms, 8_000);
});

test('a server that allows less than five seconds is not asked for five', () => {
  assert.equal(timedOut(freshHold(3_000), 4_500).ms, 3_000);
});

test('one cut connection teaches nothing, a second at about the same age does', () => {
  const once = cut(freshHold(55_000), 20_000);
  assert.equal(once.ms, 25_000);
  assert.equal(cut(once, 20_800).ms, 12_500);
});

test('cuts at very different ages are accidents', () => {
  const twice = cut(cut(freshHold(55_000), 20_000), 9_000);
  assert.equal(twice.ms, 25_000);
  assert.equal(cut(twice, 9_000).ms, 7_200, 'and the later one is what the next is compared with');
});

test('a second of difference counts as the same age for a young poll, a seventh for an old one', () => {
  const after = (first, second) => cut(cut(freshHold(55_000), first), second).ms;
  assert.equal(after(5_000, 4_000), 5_000, 'four seconds are enough to be cut for idling');
  assert.equal(after(6_100, 5_000), 25_000);
  assert.equal(after(20_000, 22_900), 12_500);
});

test('a connection that is cut at once says nothing about holds', () => {
  assert.deepEqual(cut(cut(freshHold(55_000), 100), 100), freshHold(55_000));
});

test('a poll that outlives the age of the cut acquits it', () => {
  const held = answered(cut(freshHold(55_000), 20_000), 24_000);
  assert.equal(cut(held, 20_000).ms, 25_000);
});

test('a poll that was answered sooner acquits nobody', () => {
  const brief = answered(cut(freshHold(55_000), 20_000), 300);
  assert.equal(cut(brief, 20_000).ms, 12_500);
});

test('it grows again after twelve quiet holds, up to where it began', () => {
  const quiet = (hold, times) => Array.from({ length: times }).reduce((one) => answered(one, one.ms), hold);
  const short = timedOut(freshHold(55_000), 25_000);
  assert.equal(quiet(short, 11).ms, 12_500);
  assert.equal(quiet(short, 12).ms, 15_625);
  assert.equal(quiet(short, 120).ms, 25_000);
});
