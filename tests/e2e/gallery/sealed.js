import { state, visit } from '../support/browser.js';
import { lacking, newKey, safetyNumber, sealedLink, visitLink } from '../support/sealed.js';
import { SIZES } from './looks.js';

/** @import { Scene } from './scenes.js' */

const WORDS = 'correct horse battery staple';

/** @type {Scene} A sealed room, and those whose key does not fit. */
export async function* sealed({ browser, server, friends }) {
  const key = newKey();
  await friends.join('sealed', ['Ben'], { key });
  const ann = await visitLink(browser, sealedLink(server.base, 'sealed', key), { name: 'Ann', viewport: SIZES.desktop });
  await state(ann, 'connected');
  const number = await safetyNumber(ann);
  const panel = ann.getByTestId('diagnostics').locator('> summary');
  await panel.click();
  await ann.getByTestId('safety-number').filter({ hasText: number }).waitFor();
  await ann.getByTestId('lock').waitFor();
  yield ['safety-number', ann];
  await ann.getByTestId('compare').click();
  await ann.locator('[data-testid=lock][data-verified=compared]').waitFor();
  await panel.click();
  await friends.join('sealed', ['Cem']);
  await lacking(ann, 'does not have this room’s key');
  yield ['no-key', ann];
  await friends.leave('sealed', 'Cem');
  await friends.join('sealed', ['Dolores'], { key: newKey() });
  await lacking(ann, 'has a different key');
  yield ['another-key', ann];

  // In the same room, without a key.
  await ann.context().close();
  await friends.leave('sealed', 'Dolores');
  const anna = await visit(browser, server.base, { room: 'sealed', name: 'Ann', media: 'none', viewport: SIZES.desktop });
  await lacking(anna, 'Somebody here has sealed this room');
  yield ['room-is-sealed', anna];
  await friends.leave('sealed');
  await friends.join('sealed', ['Emil'], { key });
  await lacking(anna, 'with a key that this room does not have');
  yield ['stranger-key', anna];
  await anna.context().close();
  await friends.leave('sealed');
}

/** @type {Scene} Sealed by words, and a link that was cut off. */
export async function* passphrase({ browser, server, friends }) {
  const ann = await (await browser.newContext({ viewport: SIZES.desktop })).newPage();
  await ann.goto(`${server.base}/?name=Ann&room=words&media=none#key=cut`);
  await ann.getByTestId('lobby-status').waitFor();
  yield ['key-incomplete', ann];
  await ann.goto('about:blank');
  await ann.goto(`${server.base}/?name=Ann&room=words&media=none#sealed=passphrase`);
  await ann.waitForSelector('body[data-loaded=true]');
  yield ['passphrase', ann];
  await ann.getByTestId('passphrase').fill(WORDS);
  await ann.getByTestId('join').click();
  await state(ann, 'waiting');
  await friends.join('words', ['Ben'], { passphrase: WORDS.replace('horse', 'house') });
  await lacking(ann, 'has entered a different passphrase');
  yield ['another-passphrase', ann];
  await friends.leave('words');
  await friends.join('words', ['Cem']);
  await lacking(ann, 'does not have this room’s key');
  yield ['no-passphrase', ann];
  await ann.context().close();
  await friends.leave('words');
}
