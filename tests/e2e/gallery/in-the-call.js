import { enter, goBack, heard, say, state, visit } from '../support/browser.js';
import { pullable } from '../support/devices.js';
import { Server } from '../support/server.js';
import { LANGUAGES, SIZES, speak } from './looks.js';
import { leftBehind, recordable, recording } from './recording.js';

/** @import { Scene } from './scenes.js' */

const close = (...pages) => Promise.all(pages.map((page) => page.context().close()));
/** So many pictures of others are shown. */
const pictures = (page, count) => page.waitForFunction((count) => {
  const videos = [...document.querySelectorAll('[data-testid=remote-video]')];
  return videos.length === count && videos.every(({ videoWidth }) => videoWidth > 0);
}, count);
const at = ({ browser, server }, room, options) => visit(browser, server.base, { room, name: 'Ann', viewport: SIZES.desktop, ...options });

/** @type {Scene} Alone, asked, with one other, and what is recorded. */
export async function* two(world) {
  const ann = await at(world, 'two', { answers: false, prepare: recordable });
  await state(ann, 'waiting');
  yield ['alone', ann];
  await world.friends.join('two', ['Ben']);
  await ann.getByTestId('answer').waitFor();
  yield ['asked', ann];
  await ann.getByTestId('answer').click();
  await pictures(ann, 1);
  await world.friends.tell('two', 'Ben', {});
  yield ['two', ann];
  await ann.getByTestId('mute').click();
  await ann.getByTestId('camera-off').click();
  await world.friends.tell('two', 'Ben', { microphone: 'live', camera: 'missing', off: ['microphone', 'camera'], hand: true });
  await ann.locator('[data-testid=remote-tile][data-microphone=off]').waitFor();
  yield ['muted', ann];
  yield* recording(ann, (news) => world.friends.tell('two', 'Ben', news));
  await world.friends.leave('two');
  await state(ann, 'waiting');
  yield ['left-alone', ann];
  yield* leftBehind(ann);
  await close(ann);
}

/** @type {Scene} Four and eight people, and a screen. */
export async function* many(world) {
  const { friends } = world;
  await friends.join('many', ['Ben', 'Cem', 'Dolores']);
  const ann = await at(world, 'many');
  await pictures(ann, 3);
  yield ['four', ann];
  await friends.tell('many', 'Cem', { hand: true, off: ['microphone'] });
  await friends.share('many', 'Ben');
  await ann.waitForFunction(() => document.querySelector('[data-screen=true] video')?.videoWidth > 0);
  yield ['screen', ann];
  await ann.getByTestId('share-screen').click();
  await ann.getByTestId('share-screen').filter({ hasText: 'Stop sharing' }).waitFor();
  await ann.getByTestId('hand').click();
  yield ['sharing', ann];
  await close(ann);
  await friends.leave('many');
  await friends.join('eight', ['Ben', 'Cem', 'Dolores', 'Emil', 'Farida', 'Guadalupe', 'Hieronymus von Münchhausen']);
  const anna = await at(world, 'eight');
  await pictures(anna, 7);
  yield ['eight', anna];
  await close(anna);
  await friends.leave('eight');
}

const LONG = 'A long message, to see how it is broken into lines where the column is narrow, and that nothing beside it moves.';

/** @type {Scene} The chat, the panel below, and dialogs. */
export async function* around(world) {
  const { friends } = world;
  await friends.join('around', ['Ben']);
  const ann = await at(world, 'around');
  await ann.context().grantPermissions(['camera', 'microphone', 'clipboard-read', 'clipboard-write']);
  await state(ann, 'connected');
  await friends.say('around', 'Ben', `${LONG} https://example.org/a-page-with-a-rather-long-address/of-many/parts?and=a&query=too`);
  await friends.say('around', 'Ben', '你好！مرحبا! Here is a word without an end: '.concat('lump'.repeat(30)));
  await heard(ann, 'without an end');
  for (const text of ['Hello!', LONG, 'Two lumps, please.']) await say(ann, text);
  await heard(ann, 'Two lumps');
  yield ['chat', ann];
  await ann.getByTestId('copy-link').click();
  await ann.getByTestId('local-link').waitFor();
  yield ['local-link', ann];
  for (const [name, open] of [
    ['code', () => ann.getByTestId('show-qr').click()],
    ['settings', () => ann.getByTestId('settings').click()],
    ['shortcuts', () => ann.keyboard.press('?')],
    ['leave', () => goBack(ann)],
  ]) {
    await open();
    const dialog = ann.locator('dialog[open]');
    await dialog.waitFor();
    yield [name, ann];
    await dialog.locator('form[method=dialog] button').first().click();
    await dialog.waitFor({ state: 'detached' });
  }
  await ann.waitForFunction(() => window.signalpost.report[0]?.way);
  await ann.getByTestId('diagnostics').locator('> summary').click();
  await ann.getByTestId('connection').locator('summary').click();
  await ann.getByTestId('wire-entry').first().locator('summary').click();
  yield ['connection', ann];
  await close(ann);
  await friends.leave('around');
}

/** @type {Scene} Encoders and players: how they call, and how an encoder is shown. */
export async function* machines({ browser, server, friends }) {
  const ann = await (await browser.newContext({ viewport: SIZES.desktop })).newPage();
  const secret = 'two lumps, please';
  await enter(ann, `${server.base}/?room=machines&name=Ann&media=none#${new URLSearchParams({ secret })}`, { answers: false });
  await state(ann, 'waiting');
  const open = async (button) => {
    await ann.getByTestId('show-qr').click();
    await ann.getByTestId(button).click();
    await ann.getByTestId('whip-dialog').waitFor();
  };
  await open('add-encoder');
  await ann.getByTestId('whip-name').fill('The camera at the door');
  for (const program of await ann.locator('.whip-dialog summary').all()) await program.click();
  yield ['add-encoder', ann];
  // It is expected while the dialog is open.
  await friends.encode('machines', 'The camera at the door', secret);
  await ann.waitForFunction(() => document.querySelector('[data-testid=remote-video]')?.videoWidth > 0);
  await ann.getByTestId('whip-close').click();
  yield ['encoder', ann];
  // The room is full now.
  await open('watch-in-player');
  yield ['watch-in-player', ann];
  await close(ann);
  await friends.leave('machines');
}

/** @type {Scene} What goes wrong in a call. */
export async function* trouble(world) {
  const { browser, friends } = world;
  const ann = await at(world, 'trouble', { prepare: pullable });
  await state(ann, 'waiting');
  await friends.join('trouble', ['Ben']);
  await pictures(ann, 1);
  await ann.evaluate(() => { window.busy = 'video'; });
  await ann.getByTestId('camera-off').click();
  await ann.getByTestId('camera-off').filter({ hasText: 'Camera on' }).click();
  await ann.getByTestId('notice').waitFor();
  yield ['device-in-use', ann];
  await ann.evaluate(async () => {
    const [id] = window.signalpost.room.peers.keys();
    const kept = Object.values({ ...sessionStorage }).find((text) => text.includes('roomToken'));
    await fetch(`v1/rooms/trouble/peers/${id}`, { method: 'DELETE', headers: { Authorization: `Bearer ${JSON.parse(kept).roomToken}` } });
  });
  await ann.getByTestId('locked').waitFor();
  yield ['locked', ann];
  await close(ann);
  const mortal = await Server.start();
  const ben = await at({ browser, server: mortal }, 'reconnecting', { media: 'none' });
  await state(ben, 'waiting');
  // Catalogues come from the server, so these have to be there before.
  for (const language of LANGUAGES) await speak(ben, language);
  await mortal.kill();
  await state(ben, 'reconnecting');
  yield ['reconnecting', ben];
  await close(ben);
}
