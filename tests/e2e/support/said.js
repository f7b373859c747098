import { PATIENCE_MS } from './browser.js';

/**
 * Acts, and waits until an element has said this, even if it says something else by then: on a busy machine, a look from here may come too
 * late.
 *
 * @param {import('playwright-core').Page} page
 * @param {string} selector
 * @param {RegExp} words
 * @param {() => Promise<unknown>} [act]
 */
export async function said(page, selector, words, act) {
  await page.evaluate(([selector, words]) => {
    window.said = false;
    const look = () => { window.said ||= new RegExp(words).test(document.querySelector(selector)?.textContent); };
    new MutationObserver(look).observe(document.body, { childList: true, characterData: true, subtree: true });
    look();
  }, [selector, words.source]);
  await act?.();
  await page.waitForFunction(() => window.said, null, { polling: 100, timeout: PATIENCE_MS });
}
