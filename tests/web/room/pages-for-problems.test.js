import assert from 'node:assert/strict';
import { test } from 'node:test';

import { JOIN, World, joined, names, poll } from '../support/world.js';

// Regression: behind nginx with `error_page 404`, a member never came back after the server had restarted.
test('a member whose proxy has pages for 404 and 410 takes its seat again', async () => {
  for (const status of [404, 410]) {
    const world = new World();
    const { events, poll: first } = await world.entered();
    await first.intercept(status, '<h1>There is no such page</h1>');
    await world.clock.advance(10_000);
    await (await world.asked(poll())).intercept(status, '<h1>There is no such page</h1>');
    await (await world.asked(JOIN)).answer(201, joined());
    assert.deepEqual(names(events), ['reconnecting', 'resumed', 'connected']);
  }
});
