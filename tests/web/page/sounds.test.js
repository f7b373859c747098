import assert from 'node:assert/strict';
import { test } from 'node:test';

import { play } from '../../../web/app/sounds.js';

test('a flood makes one sound, which leaves nothing open even in a page that may not make any', (t) => {
  // Regression: each of 3,000 messages to a hidden page made an AudioContext, and none was closed before the first click.
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  let now = 10_000;
  t.mock.method(performance, 'now', () => now);
  let [made, open] = [0, 0];
  class Node { connect() {} start() {} stop() {} }
  Object.assign(globalThis, {
    AudioContext: class { constructor() { made += 1; open += 1; } async close() { open -= 1; } },
    GainNode: Node,
    OscillatorNode: Node,
  });
  t.after(() => { for (const name of ['AudioContext', 'GainNode', 'OscillatorNode']) delete globalThis[name]; });
  for (let number = 0; number < 3_000; number += 1) play('message');
  assert.deepEqual([made, open], [1, 1]);
  play('joined');
  now += 1_000;
  play('message');
  assert.equal(made, 3, 'others are heard meanwhile, and it is again after a second');
  t.mock.timers.tick(2_000);
  assert.equal(open, 0);
});
