import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';

const WEB = new URL('../../web/', import.meta.url).pathname;
const files = readdirSync(WEB, { recursive: true }).filter((file) => file.endsWith('.js'));

/** What each module imports, types included, as paths below `web`. @type {Map<string, string[]>} */
const imports = new Map(files.map((file) => {
  const text = readFileSync(join(WEB, file), 'utf8');
  const found = text.matchAll(/(?:from|import|import\()\s*'(\.[^']+)'/g);
  return [file, [...found].map(([, path]) => relative(WEB, join(WEB, dirname(file), path)))];
}));

test('no module imports itself through others', () => {
  /** @type {Set<string>} */
  const done = new Set();
  const visit = (/** @type {string} */ file, /** @type {string[]} */ path) => {
    assert.ok(!path.includes(file), `a cycle: ${[...path, file].join(' → ')}`);
    if (done.has(file)) return;
    for (const next of imports.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
});

/** Each folder of the client may import itself and those after it. */
const ORDER = ['room', 'rtc', 'wire', 'sealed', 'platform'];

test('imports in the client point from room to rtc, wire, sealed and platform', () => {
  for (const [file, paths] of imports) {
    const [root, folder, name] = file.split('/');
    if (root !== 'client' || !name) continue;
    const allowed = ORDER.slice(ORDER.indexOf(folder)).map((one) => `client/${one}/`);
    for (const path of paths) {
      assert.ok(path === 'client/types.d.ts' || allowed.some((one) => path.startsWith(one)), `${file} imports ${path}`);
    }
  }
});

test('the page knows of the client only what index.js exports', () => {
  const known = ['client/index.js', 'client/types.d.ts'];
  for (const [file, paths] of imports) {
    const foreign = paths.filter((path) => !path.startsWith('app/') && !known.includes(path));
    if (file.startsWith('app/')) assert.deepEqual(foreign, [], file);
    else assert.ok(paths.every((path) => path.startsWith('client/')), `${file} imports the page`);
  }
});
