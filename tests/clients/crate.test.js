import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as path } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { join } from '../../web/client/index.js';
import { Server } from '../e2e/support/server.js';
import { greeting } from './runtimes.js';

const run = promisify(execFile);
const client = new URL('../../clients/rust/', import.meta.url).pathname;
const target = process.env.CARGO_TARGET_DIR ?? new URL('../../target', import.meta.url).pathname;
const NAME = 'signalpost-client-0.1.0';

/** An empty project with the package in it, as `cargo publish` would have sent it. */
let project, files;
before(async () => {
  project = await mkdtemp(path(tmpdir(), 'signalpost-crate-'));
  const options = ['--manifest-path', path(client, 'Cargo.toml'), '--target-dir', target, '--locked', '--offline', '--allow-dirty'];
  await run('cargo', ['package', '--quiet', '--no-verify', ...options]);
  const crate = path(target, 'package', `${NAME}.crate`);
  files = (await run('tar', ['-tzf', crate])).stdout.trim().split('\n').map((name) => name.replace(`${NAME}/`, ''));
  await run('tar', ['-xzf', crate, '-C', project]);
});
after(() => rm(project, { recursive: true }));

const block = (text, language) => new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(text)[1];

test('the package has all sources, and nothing else', () => {
  for (const name of ['Cargo.toml', 'README.md', 'src/lib.rs', 'src/member/poll.rs', 'src/sealed/seals.rs', 'examples/conformance.rs']) assert.ok(files.includes(name), name);
  assert.deepEqual(files.filter((name) => !/^(src|examples)\/[\w/]+\.rs$|^Cargo\.(toml(\.orig)?|lock)$|^README\.md$|^\.cargo_vcs_info\.json$/.test(name)), []);
});

test('the first lines of the README run in an empty project', async (t) => {
  const server = await Server.start();
  t.after(() => server.stop());
  const readme = await readFile(path(client, 'README.md'), 'utf8');
  const lines = block(readme, 'rust');
  assert.ok(lines.trim().split('\n').length <= 12);
  await mkdir(path(project, 'src'));
  await writeFile(path(project, 'src/main.rs'), lines.replace('http://127.0.0.1:8080', server.base));
  // The README's dependencies, from the package; the versions of its own lock file.
  const manifest = ['[package]', 'name = "ten-lines"', 'edition = "2024"', '[workspace]', '[profile.dev]', 'debug = "line-tables-only"',
    '[dependencies]', block(readme, 'toml'), '[patch.crates-io]', `signalpost-client = { path = "${NAME}" }`];
  await writeFile(path(project, 'Cargo.toml'), manifest.join('\n'));
  await copyFile(path(project, NAME, 'Cargo.lock'), path(project, 'Cargo.lock'));
  await run('cargo', ['build', '--quiet', '--offline', '--target-dir', target], { cwd: project });

  const room = await join(server.base, 'tea', { name: 'Ben' });
  const child = spawn(path(target, 'debug/ten-lines'), { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill());
  const greeted = greeting(room, child);
  const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { from, data } = await greeted;
  assert.equal(data, 'hello');
  await room.send(from, { type: 'data', data: 'hello yourself' });
  assert.equal((await said.next()).value, `${room.self.id} Data(String("hello yourself"))`);
  await room.leave();
  const ended = once(child, 'exit');
  child.kill();
  await ended;
});
