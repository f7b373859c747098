import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { scenarios } from '../../clients/conformance/scenarios/index.js';
import { ALL } from './kit.js';

test('docs/clients.md names each scenario of the kit, and none that does not exist', async () => {
  const text = await readFile(new URL('../../docs/clients.md', import.meta.url), 'utf8');
  const names = scenarios.map(({ name }) => name);
  assert.equal(names.length, ALL);
  assert.deepEqual(names.filter((name) => !text.includes(`\`${name}\``)), []);
  const checked = [...text.matchAll(/^\|.*\|([^|]*)\|$/gm)].flatMap(([, cell]) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  assert.deepEqual(checked.filter((name) => !names.includes(name)), []);
  assert.equal(new Set(names).size, names.length);
});
