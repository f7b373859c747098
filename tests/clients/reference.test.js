import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const tests = new URL('..', import.meta.url).pathname;

test('the reference is built without a warning, and has everything that the client exports', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'signalpost-reference-'));
  t.after(() => rm(folder, { recursive: true }));
  const { stdout, stderr } = await promisify(execFile)('npm', ['run', '--silent', 'reference', '--', '--out', folder], { cwd: tests })
    .catch((error) => assert.fail(error.stdout + error.stderr));
  assert.doesNotMatch(stdout + stderr, /\[(warning|error)\]/);
  const index = await readFile(join(folder, 'modules.html'), 'utf8').catch(() => readFile(join(folder, 'index.html'), 'utf8'));
  const exported = Object.keys(await import('../../web/client/index.js'));
  assert.deepEqual(exported.filter((name) => !index.includes(`>${name}<`)), []);
});
