import assert from 'node:assert/strict';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { heard, launch, say, state, videoRuns, visit } from './support/browser.js';
import { textOf, withText } from './support/png.js';
import { words } from './support/words.js';
import { Server } from './support/server.js';

// Regression: docs/call.png showed an outdated page. Each picture embeds the text it shows, which is compared with the current
// page. UPDATE_PICTURES=1 updates the pictures.

const docs = new URL('../../docs/', import.meta.url);
/** The second is made, and compared, by tests/net. */
const pictures = ['call.png', 'relayed.png'];

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

test('the picture of a call in the documents shows the page of today', async () => {
  const size = { viewport: { width: 1280, height: 800 }, fullSize: true };
  const ann = await visit(browser, server.base, { room: 'tea', name: 'Ann', ...size });
  await state(ann, 'waiting');
  const ben = await visit(browser, server.base, { room: 'tea', name: 'Ben', ...size });
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await say(ben, 'Tea is ready. One lump or two?');
  await heard(ann, 'One lump or two?');
  await say(ann, 'Two, please!');
  await heard(ben, 'Two, please!');
  await videoRuns(ann);
  await ann.waitForFunction(() => document.querySelector('[data-testid=ways]').textContent.startsWith('Direct'));
  const shown = await words(ann);
  const path = new URL('call.png', docs);
  if (process.env.UPDATE_PICTURES) await writeFile(path, withText(await ann.screenshot(), shown));
  const how = 'UPDATE_PICTURES=1 node --test tests/e2e/pictures.test.js updates it; look at it';
  assert.equal(textOf(await readFile(path)), shown, how);
  await Promise.all([ann, ben].map((page) => page.context().close()));
});

test('no document has a picture of the page that no test makes', async () => {
  const found = (await readdir(docs, { recursive: true })).filter((name) => /\.(png|jpe?g|webp|gif)$/.test(name));
  assert.deepEqual(found.sort(), pictures);
});
