import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join as path } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { join } from '../../web/client/index.js';
import { Server } from '../e2e/support/server.js';
import { client, project } from './packed.js';
import { RUNTIMES, greeting } from './runtimes.js';

const run = promisify(execFile);
const tsc = new URL('../node_modules/typescript/bin/tsc', import.meta.url).pathname;

let packed;
before(async () => { packed = await project(); });
after(() => packed.remove());

const blocks = async () => [...(await readFile(path(client, 'README.md'), 'utf8')).matchAll(/```js\n(.*?)```/gs)].map(([, block]) => block);

test('the package has all modules and types, and nothing else', async () => {
  const names = packed.files;
  for (const name of ['index.js', 'types.d.ts', 'api.d.ts', 'rtc/hosts.d.ts', 'rtc/call.js', 'wire/poll.js', 'README.md']) assert.ok(names.includes(name), name);
  assert.deepEqual(names.filter((name) => !/\.(js|d\.ts)$|^README\.md$|^package\.json$/.test(name)), []);
});

for (const [runtime, [program, ...options]] of Object.entries(RUNTIMES)) {
  test(`the first lines of the README run in an empty project, in ${runtime}`, async () => {
    const server = await Server.start();
    const [lines] = await blocks();
    assert.ok(lines.trim().split('\n').length <= 10);
    await writeFile(path(packed.folder, 'index.js'), lines.replace('http://127.0.0.1:8080/', `${server.base}/`));
    const room = await join(server.base, 'tea', { name: 'Ben' });
    const child = spawn(program, [...options, 'index.js'], { cwd: packed.folder, stdio: ['ignore', 'pipe', 'inherit'] });
    const greeted = greeting(room, child);
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
}

test('its types are found, and fit what the README does', async () => {
  const [first, calls] = await blocks();
  const declared = 'declare const stream: MediaStream, video: HTMLVideoElement;\n';
  await writeFile(path(packed.folder, 'program.ts'), declared + first + calls);
  const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2022,dom,dom.iterable'];
  await run(process.execPath, [tsc, ...options, 'program.ts'], { cwd: packed.folder }).catch(({ stdout }) => assert.fail(stdout));
});
