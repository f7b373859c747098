import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';

import { build } from 'esbuild';

import { client } from './packed.js';

const README = `${client}README.md`;
const SENTENCE = /(Bundled and minified,\s+it takes )([\d.]+) KB compressed with gzip, and ([\d.]+) KB with Brotli/;
/** Another version of Node.js may compress a little better, and a small change need not touch the README. */
const TOLERANCE = 0.03;

test('the README tells how large the client is, minified and compressed', async () => {
  const { outputFiles: [{ contents }] } = await build({ entryPoints: [`${client}index.js`], bundle: true, minify: true, format: 'esm', target: 'es2022', write: false });
  const sizes = [gzipSync(contents, { level: 9 }), brotliCompressSync(contents)].map(({ length }) => length / 1000);
  const readme = await readFile(README, 'utf8');
  if (process.env.UPDATE_DOCS) {
    const [gzip, brotli] = sizes.map((size) => size.toFixed(1));
    return writeFile(README, readme.replace(SENTENCE, `$1${gzip} KB compressed with gzip, and ${brotli} KB with Brotli`));
  }
  const told = SENTENCE.exec(readme)?.slice(2).map(Number);
  assert.ok(told, 'the README has the sentence');
  sizes.forEach((size, at) => assert.ok(Math.abs(size / told[at] - 1) < TOLERANCE, `${size} KB, not ${told[at]}: UPDATE_DOCS=1 node --test tests/clients/size.test.js`));
});
