import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { faults } from './gallery/boxes.js';
import { SIZES, eachLook } from './gallery/looks.js';
import { SCENES, world } from './gallery/scenes.js';
import { accessible } from './support/axe.js';

// Every state of the page can be read and used in each size, scheme and language. gallery/make.js makes pictures of the same.

/** What axe checks, and where: contrast depends on the scheme, and what it finds besides on neither size nor scheme. */
const AXE = [{ look: { size: 'desktop', scheme: 'light', language: 'en' }, rules: [] }, { look: { size: 'phone', scheme: 'dark', language: 'ar' }, rules: ['color-contrast'] }];

/** In a page, Playwright waits without a limit. */
const HANGS_MS = 600_000;

let room;
before(async () => { room = await world(); });
after(() => room.end());

// axe needs scripts in the page.
const axeOf = (look) => AXE.find((one) => look.scripted && Object.entries(one.look).every(([name, value]) => look[name] === value));

describe('every state of the page', { concurrency: 2 }, () => {
  for (const [name, scene] of Object.entries(SCENES)) {
    test(`${name}: all can be read and pressed`, { timeout: HANGS_MS }, async (t) => {
      const found = [];
      let seen = 'nothing';
      const told = () => console.error(`${name} hangs after ${seen}`);
      t.signal.addEventListener('abort', told);
      for await (const [state, page] of scene(room)) {
        const where = ({ language, size, scheme }) => [state, language, size, scheme].join(', ');
        await eachLook(page, async (look) => {
          seen = where(look);
          if (look.scheme === 'light') found.push(...(await page.evaluate(faults)).map((fault) => `${where(look)}: ${fault}`));
          const axe = axeOf(look);
          if (axe) await accessible(page, ...axe.rules).catch((error) => found.push(`${where(look)}: ${error.message}`));
          // Boxes do not depend on the scheme.
        }, (look) => look.scheme === 'light' || axeOf(look));
      }
      t.signal.removeEventListener('abort', told);
      assert.deepEqual(found, []);
    });
  }
});

/** Each row: what is done to the form, and what is found. */
const FAULTS = [
  [() => { document.querySelector('#join').style.width = '500px'; }, /outside the window/],
  [() => { document.querySelector('#join').style.marginTop = '-6rem'; }, /covered by/],
  [() => Object.assign(document.querySelector('#join').style, { width: '1rem', padding: 0 }), /text is wider than its button/],
  [() => Object.assign(document.querySelector('.lead').style, { height: '1rem', overflow: 'hidden' }), /text is cut off/],
  [() => { document.querySelector('.lead').style.marginTop = '-2.5rem'; }, /text over/],
  [() => { document.querySelector('.lead').style.fontSize = '10px'; }, /small text/],
  [() => Object.assign(document.querySelector('.lead').style, { width: '500px' }), /wider than its parent/],
  [() => Object.assign(document.querySelector('#join').style, { position: 'fixed', inset: 0, width: 'auto' }), /text under join/],
];

test('what cannot be read or pressed is found', async () => {
  const page = await (await room.browser.newContext({ viewport: SIZES.phone })).newPage();
  await page.goto(`${room.server.base}/?name=Ann&room=tea`);
  await page.waitForSelector('body[data-loaded=true]');
  for (const [spoil, fault] of FAULTS) {
    assert.deepEqual(await page.evaluate(faults), []);
    await page.evaluate(spoil);
    assert.match((await page.evaluate(faults)).join('\n'), fault);
    await page.evaluate(() => document.querySelectorAll('#join, .lead').forEach((one) => one.removeAttribute('style')));
  }
  await page.context().close();
});
