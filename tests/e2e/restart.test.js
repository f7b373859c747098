import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { heard, idOf, launch, say, state, videoRuns, visit } from './support/browser.js';
import { Server } from './support/server.js';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

const KEPT_KEY = ['--token-key', 'kZ3vq9TfWm1x8LrP0aYdBcQe5Ns7Hj2U'];

for (const [key, flags] of [['a kept key', KEPT_KEY], ['a random key', []]]) {
  test(`killing and restarting the server in mid-call leaves the media running, with ${key}`, async () => {
    let server = await Server.start(flags);
    const ann = await visit(browser, server.base, { room: 'tea', name: 'Ann' });
    await state(ann, 'waiting');
    const ben = await visit(browser, server.base, { room: 'tea', name: 'Ben' });
    await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
    await videoRuns(ann);
    const before = await idOf(ann);

    await server.kill();
    await Promise.all([state(ann, 'reconnecting'), state(ben, 'reconnecting')]);
    assert.match(await ann.getByTestId('status').textContent(), /the call continues/);
    await Promise.all([videoRuns(ann, 30), videoRuns(ben, 30)]);
    await say(ann, 'is it dark where you are, too?');
    await heard(ben, 'is it dark');

    server = await server.restart();
    await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
    const room = await (await fetch(`${server.base}/v1/rooms/tea`)).json();
    assert.equal(room.occupancy, 2);
    assert.equal(await idOf(ann) === before, flags.length > 0);
    await Promise.all([videoRuns(ann, 30), videoRuns(ben, 30)]);
    await say(ben, 'light again');
    await heard(ann, 'light again');
    // Regression: everybody had joined twice.
    const joined = await Promise.all([ann, ben].map((page) => page.getByTestId('chat-entry').filter({ hasText: /joined|left/ }).allTextContents()));
    assert.deepEqual(joined.map((texts) => texts.map((text) => text.trim())), [['Ben joined'], []]);
    // Signaling works again, too: a newcomer finds both seats taken.
    const third = await visit(browser, server.base, { room: 'tea', name: 'Cleo' });
    await state(third, 'full');

    await Promise.all([ann, ben, third].map((page) => page.context().close()));
    await server.stop();
  });
}
