import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join as path, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { join } from '../../web/client/index.js';
import { PATIENCE_MS, heard, launch, say, visit } from './support/browser.js';
import { Compose } from './support/compose.js';
import { example, start } from './support/program.js';
import { Server, binary } from './support/server.js';

const run = promisify(execFile);

// HAProxy has a self-signed certificate.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

/** A separate web server for examples/page-on-another-origin; its page points to this test's server. */
async function site() {
  const target = { base: '' };
  const types = { '/': ['index.html', 'text/html'], '/main.js': ['main.js', 'text/javascript'] };
  const server = createServer(async ({ url }, response) => {
    const [file, type] = types[url] ?? [];
    if (!file) return void response.writeHead(404).end();
    const text = await readFile(example(`page-on-another-origin/${file}`), 'utf8');
    response.writeHead(200, { 'Content-Type': type }).end(text.replace('http://127.0.0.1:8080', target.base));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => { server.closeAllConnections(); server.close(); };
  return Object.assign(target, { origin: `http://localhost:${server.address().port}`, stop });
}

/** A tab that has joined the room in the example's form, or has tried to. */
async function tab(context, origin, name) {
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(`${name}: ${error.stack}`));
  await page.goto(origin);
  await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: 'Join' }).click();
  return page;
}

const logged = (page, text) => page.getByRole('listitem').filter({ hasText: text }).first().waitFor();
const write = async (page, text) => {
  await page.getByLabel('Message').fill(text);
  await page.getByRole('button', { name: 'Send' }).click();
};
const sees = (page) => page.waitForFunction(() => [...document.querySelectorAll('video:not(#self)')].some((video) => video.videoWidth > 0));

test('page-on-another-origin: two tabs are in a call and chat; a third is told that the room is full', async (t) => {
  const app = await site();
  t.after(() => app.stop());
  const server = await Server.start(['--cors-origin', app.origin]);
  t.after(() => server.stop());
  app.base = server.base;
  const context = await browser.newContext();
  t.after(() => context.close());

  const ann = await tab(context, app.origin, 'Ann');
  await ann.locator('#call').waitFor();
  const ben = await tab(context, app.origin, 'Ben');
  await Promise.all([logged(ann, 'connection with Ben: connected'), logged(ben, 'connection with Ann: connected'), sees(ann), sees(ben)]);
  await write(ann, 'tea is ready');
  await logged(ben, 'Ann: tea is ready');
  await write(ben, 'coming');
  await logged(ann, 'Ben: coming');

  const cleo = await tab(context, app.origin, 'Cleo');
  await logged(cleo, 'All 2 seats are taken');
  await cleo.getByRole('button', { name: 'Join' }).waitFor();

  await ben.getByRole('button', { name: 'Leave' }).click();
  await logged(ann, 'Ben has gone (left)');
  await ben.getByRole('button', { name: 'Join' }).waitFor();
  assert.equal(await ben.evaluate(() => document.getElementById('self').srcObject.active), false, 'the camera is still on');
  await ann.waitForFunction(() => document.querySelectorAll('video').length === 1);

  await cleo.evaluate(() => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('Permission denied', 'NotAllowedError'); }; });
  await cleo.getByRole('button', { name: 'Join' }).click();
  await Promise.all([logged(cleo, 'No camera and microphone: Permission denied'), logged(cleo, 'connection with Ann: connected'), sees(cleo)]);
});

/** examples/node as after `npm install`, but with the packages of these tests instead of the registry. */
async function install(t) {
  const folder = await mkdtemp(path(tmpdir(), 'signalpost-example-'));
  t.after(() => rm(folder, { recursive: true }));
  await cp(example('node'), folder, { recursive: true, filter: (name) => !name.includes('node_modules') });
  await mkdir(path(folder, 'node_modules'));
  const { dependencies } = JSON.parse(await readFile(path(folder, 'package.json'), 'utf8'));
  const { devDependencies } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
  for (const [name, version] of Object.entries(dependencies)) {
    const isFolder = version.startsWith('file:');
    if (!isFolder) assert.equal(version, devDependencies[name], `${name} is tried in another version`);
    const source = isFolder ? resolve(example('node'), version.slice('file:'.length)) : new URL(`../node_modules/${name}`, import.meta.url).pathname;
    await symlink(source, path(folder, 'node_modules', name));
  }
  return folder;
}

test('node: two programs, and a program and a page, exchange messages', async (t) => {
  const folder = await install(t);
  const server = await Server.start();
  t.after(() => server.stop());
  const program = (...args) => start(t, folder, process.execPath, 'index.js', server.base, ...args);

  const ann = program('programs', 'Ann');
  await ann.printed('in programs as Ann');
  const ben = program('programs', 'Ben');
  await Promise.all([ben.printed('Ann by mailbox: welcome to programs'), ben.printed('connected with Ann'), ann.printed('connected with Ben')]);
  ann.say('tea is ready');
  await ben.printed('Ann: tea is ready');
  ben.say('coming');
  await ann.printed('Ben: coming');
  const cleo = program('programs', 'Cleo');
  assert.equal(await cleo.ended, 1);
  assert.match(cleo.lines.join('\n'), /All 2 seats are taken/);
  assert.equal(await ben.end(), 0);
  await ann.printed('Ben has gone (left)');
  assert.equal(await ann.end(), 0);

  for (const first of ['program', 'page']) {
    const room = `${first}-first`;
    const join = async () => { const dan = program(room, 'Dan'); await dan.printed(`in ${room} as Dan`); return dan; };
    let dan = first === 'program' && await join();
    const page = await visit(browser, server.base, { room, name: 'Eve' });
    if (first === 'page') {
      await page.waitForFunction(() => window.signalpost?.room);
      dan = await join();
    }
    await dan.printed('connected with Eve');
    dan.say('from the program');
    await heard(page, 'from the program');
    await say(page, 'from the page');
    await dan.printed('Eve: from the page');
    await page.evaluate(() => [...window.signalpost.call.links.values()][0].pc.restartIce());
    await dan.printed('connected with Eve');
    dan.say('still there');
    await heard(page, 'still there');
    assert.equal(await dan.end(), 0);
    await page.context().close();
  }
});

/** Two clients in a room, each with its own server address. */
function meet(name, ...bases) {
  return Promise.all(bases.map((base) => join(base, name)));
}

/** Each sends the other a message. */
async function exchange([ann, ben]) {
  const got = [ann, ben].map((room) => new Promise((resolve) => {
    const ignore = room.on('message', ({ data }) => { ignore(); resolve(data); });
  }));
  await Promise.all([ann.send(ben.self.id, { type: 'data', data: 'ready' }), ben.send(ann.self.id, { type: 'data', data: 'coming' })]);
  assert.deepEqual(await Promise.all(got), ['coming', 'ready']);
}

test('compose: clients on different nodes and behind HAProxy exchange messages, also when a node stops, and coturn takes their credentials', async (t) => {
  const compose = await Compose.start(t);
  const { one, two, https, turn } = compose.ports;
  const { stdout: help } = await run(binary, ['--help']);
  const variables = Object.keys(compose.services.one.environment);
  assert.deepEqual(variables.filter((name) => !help.includes(`[env: ${name}`)), [], 'there are no such options');

  const apart = await meet('tea', `http://127.0.0.1:${one}`, `http://127.0.0.1:${two}`);
  await exchange(apart);
  const { iceServers } = apart[0];
  const proxy = `https://localhost:${https}`;
  assert.match(await (await fetch(proxy)).text(), /<title>/);
  const behind = await meet('cake', proxy, proxy);
  await exchange(behind);
  await Promise.all(apart.map((room) => room.leave()));
  await compose.end('one');
  await exchange(behind);
  assert.deepEqual(behind.map(({ peers }) => peers.size), [1, 1]);
  await Promise.all(behind.map((room) => room.leave()));

  assert.ok(iceServers.some(({ urls }) => [urls].flat().includes(`stun:127.0.0.1:${turn}`)));
  const { urls, username, credential } = iceServers.find((server) => server.credential);
  assert.deepEqual([urls].flat(), ['udp', 'tcp'].map((transport) => `turn:127.0.0.1:${turn}?transport=${transport}`));
  for (const flags of [[], ['-t']]) {
    const relay = (password) => run('turnutils_uclient', ['-y', '-n', '1', '-m', '1', ...flags, '-u', username, '-w', password, '-p', String(turn), '127.0.0.1'], { timeout: PATIENCE_MS })
      .then(({ stdout }) => stdout, ({ stdout }) => stdout);
    assert.match(await relay(credential), /tot_send_msgs=(\d+), tot_recv_msgs=\1\n/);
    assert.match(await relay('another'), /Cannot complete Allocation/);
  }
});
