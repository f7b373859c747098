import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const client = new URL('../../web/client/', import.meta.url).pathname;

/**
 * An empty project with our npm package in it, as `npm publish` would have made it.
 *
 * @returns {Promise<{ folder: string, files: string[], remove: () => Promise<void> }>}
 */
export async function project() {
  const folder = await mkdtemp(join(tmpdir(), 'signalpost-npm-'));
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: client });
  const [packed] = JSON.parse(stdout);
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', join(folder, packed.filename)], { cwd: folder });
  return { folder, files: packed.files.map(({ path }) => path), remove: () => rm(folder, { recursive: true }) };
}
