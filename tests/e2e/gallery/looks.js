import { drawn } from '../support/browser.js';
import { eventually } from '../support/eventually.js';

/** All ways to look at a state of the page: sizes, schemes and languages. */

export const SIZES = {
  desktop: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
  landscape: { width: 844, height: 390 },
};
export const SCHEMES = ['light', 'dark'];
export const LANGUAGES = ['en', 'zh-CN', 'ar'];

/** Chooses a language as the picker in the form does, wherever the page is. */
export async function speak(page, language) {
  await page.evaluate((language) => {
    const picker = document.querySelector('#language');
    picker.value = language;
    picker.dispatchEvent(new Event('change'));
  }, language);
  await page.waitForFunction((language) => document.documentElement.lang === language, language, { polling: 100 });
}

/** Returns once the page knows: on a busy machine it is laid out for the former size until then. Pages without scripts have no timers to wait with. */
async function resize(page, size) {
  await page.setViewportSize(size);
  await eventually(() => page.evaluate(({ width, height }) => innerWidth === width && innerHeight === height, size), 'the page has its size');
}

/** @typedef {{ language: string, size: string, scheme: string, scripted: boolean }} Look */

/**
 * Shows a state in all ways, and calls back for each. Leaves the page as it was: in English, light, in a desktop's window.
 *
 * @param {import('playwright-core').Page} page
 * @param {(look: Look) => Promise<void>} see
 * @param {(look: Look) => boolean} [wanted] which of them
 */
export async function eachLook(page, see, wanted = () => true) {
  const scripted = await page.evaluate(() => document.body.dataset.loaded === 'true');
  const sizes = Object.keys(SIZES);
  let [spoken, shown] = ['en', 'light'];
  for (const language of scripted ? LANGUAGES : ['en']) {
    if (language !== spoken) await speak(page, language);
    spoken = language;
    for (const size of sizes) {
      await resize(page, SIZES[size]);
      for (const look of SCHEMES.map((scheme) => ({ language, size, scheme, scripted })).filter(wanted)) {
        if (look.scheme !== shown) await page.emulateMedia({ colorScheme: look.scheme });
        shown = look.scheme;
        if (scripted) await drawn(page);
        await see(look);
      }
    }
    // The next language begins with the size that is shown.
    sizes.reverse();
  }
  if (scripted) await speak(page, 'en');
  await resize(page, SIZES.desktop);
  await page.emulateMedia({ colorScheme: 'light' });
}
