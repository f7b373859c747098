import { enter, state } from '../support/browser.js';
import { SIZES } from './looks.js';

/** @import { Scene } from './scenes.js' */

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
  yield ['add-encoder', ann];
  for (const program of await ann.locator('.whip-dialog summary').all()) await program.click();
  yield ['add-encoder-commands', ann];
  // It is expected while the dialog is open.
  await friends.encode('machines', 'The camera at the door', secret);
  await ann.waitForFunction(() => document.querySelector('[data-testid=remote-video]')?.videoWidth > 0);
  await ann.getByTestId('whip-close').click();
  yield ['encoder', ann];
  // The room is full now.
  await open('watch-in-player');
  yield ['watch-in-player', ann];
  await ann.context().close();
}
