import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Fails if axe finds anything in the page as it is now, by these rules or by all: https://dequeuniversity.com/rules/axe. */
export async function accessible(page, ...rules) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(source);
  // Listing every node that passes would double the time.
  const { violations } = await page.evaluate((rules) => window.axe.run({ resultTypes: ['violations'], ...(rules.length > 0 && { runOnly: rules }) }), rules);
  const found = violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html.slice(0, 120)}`));
  assert.deepEqual(found, []);
}
