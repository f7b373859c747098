import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as path } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { join } from '../../web/client/index.js';
import { Server } from '../e2e/support/server.js';

const run = promisify(execFile);
const client = new URL('../../web/client/', import.meta.url).pathname;
const tsc = new URL('../node_modules/typescript/bin/tsc', import.meta.url).pathname;

/** An empty project with the package in it, as `npm publish` would have made it. */
let project, packed;
before(async () => {
  project = await mkdtemp(path(tmpdir(), 'signalpost-npm-'));
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', project], { cwd: client });
  [packed] = JSON.parse(stdout);
  await writeFile(path(project, 'package.json'), '{ "private": true, "type": "module" }');
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', path(project, packed.filename)], { cwd: project });
});
after(() => rm(project, { recursive: true }));

const blocks = async () => [...(await readFile(path(client, 'README.md'), 'utf8')).matchAll(/```js\n(.*?)```/gs)].map(([, block]) => block);

test('the package has all modules and types, and nothing else', async () => {
  const names = packed.files.map((file) => file.path);
  for (const name of ['index.js', 'types.d.ts', 'api.d.ts', 'rtc/hosts.d.ts', 'rtc/call.js', 'wire/poll.js', 'README.md']) assert.ok(names.includes(name), name);
  assert.deepEqual(names.filter((name) => !/\.(js|d\.ts)$|^README\.md$|^package\.json$/.test(name)), []);
});

test('the first lines of the README run in an empty project', async () => {
  const server = await Server.start();
  const [lines] = await blocks();
  assert.ok(lines.trim().split('\n').length <= 10);
  await writeFile(path(project, 'index.js'), lines.replace('http://127.0.0.1:8080/', `${server.base}/`));
  const room = await join(server.base, 'tea', { name: 'Ben' });
  const greeted = new Promise((resolve) => { room.on('message', resolve); });
  const child = spawn(process.execPath, ['index.js'], { cwd: project, stdio: ['ignore', 'pipe', 'inherit'] });
  const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { from, data } = await greeted;
  assert.equal(data, 'hello');
  await room.send(from, { type: 'data', data: 'hello yourself' });
  assert.equal((await said.next()).value, `${room.self.id} hello yourself`);
  await room.leave();
  assert.equal((await said.next()).value, 'Ben has left');
  const ended = once(child, 'exit');
  child.kill();
  await ended;
  await server.stop();
});

test('its types are found, and fit what the README does', async () => {
  const [first, calls] = await blocks();
  const declared = 'declare const stream: MediaStream, video: HTMLVideoElement;\n';
  await writeFile(path(project, 'program.ts'), declared + first + calls);
  const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2022,dom,dom.iterable'];
  await run(process.execPath, [tsc, ...options, 'program.ts'], { cwd: project }).catch(({ stdout }) => assert.fail(stdout));
});
