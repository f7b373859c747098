import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';

import ts from 'typescript';

import { firstLoad, total } from '../../benches/page/weight.js';
import { launch } from './support/browser.js';
import { Server } from './support/server.js';

const WEB = new URL('../../web/', import.meta.url).pathname;
const scripts = readdirSync(WEB, { recursive: true }).filter((file) => /\.m?js$/.test(file));
/** Without the catalogues, of which each visitor needs one. */
const FIRST_LOAD_KB = 120;
/** In so little there is nothing to compress. */
const SMALL = 256;

let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());

/** The tokens of a program with the line that each begins in: all that a parser makes of it. */
function tokens(text) {
  const source = ts.createSourceFile('module.js', text, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  assert.deepEqual(source.parseDiagnostics.map(({ messageText }) => messageText), []);
  const found = [];
  const visit = (node) => {
    if (ts.isJSDoc(node)) return;
    const children = node.getChildren(source).filter((child) => !ts.isJSDoc(child));
    if (children.length === 0) found.push(`${source.getLineAndCharacterOfPosition(node.getStart(source)).line} ${ts.SyntaxKind[node.kind]} ${node.getText(source)}`);
    else children.forEach(visit);
  };
  visit(source);
  return found;
}

test('what is sent of each module is the same program in the same lines', async () => {
  let [whole, sent] = [0, 0];
  for (const file of scripts) {
    const source = readFileSync(WEB + file, 'utf8');
    const text = await (await fetch(`${server.base}/${file}`)).text();
    assert.deepEqual(tokens(text), tokens(source), file);
    whole += source.length;
    sent += text.length;
  }
  assert.ok(sent < whole * 0.8, `${sent} of ${whole} characters are left`);
});

/** The modules that a document says it needs. */
function preloaded(text) {
  return [...text.matchAll(/rel="modulepreload" href="([^"]+)"/g)].map(([, path]) => path);
}

for (const path of ['', 'network-test']) {
  test(`the document /${path} names every module that it needs, and no other`, async () => {
    const named = preloaded(await (await fetch(`${server.base}/${path}`)).text());
    const browser = await launch({ camera: false });
    const page = await browser.newPage();
    // Without the links, the browser asks for what is imported and nothing else.
    await page.route(`${server.base}/${path}`, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).replace(/<link rel="modulepreload"[^>]*>/g, '') });
    });
    const asked = [];
    page.on('request', (request) => /\.m?js$/.test(request.url()) && asked.push(request.url().slice(server.base.length + 1)));
    await page.goto(`${server.base}/${path}`);
    await page.waitForLoadState('networkidle');
    await browser.close();
    const entries = asked.filter((file) => !named.includes(file)).map((file) => file.replace(/^files-\w+\//, ''));
    assert.deepEqual(entries.filter((file) => file !== 'app/loading.js'), [path ? 'app/network-test/main.js' : 'app/main.js']);
    assert.deepEqual(named.filter((file) => !asked.includes(file)), []);
    assert.equal(new Set(named).size, named.length);
  });
}

test(`the first load takes at most ${FIRST_LOAD_KB} KB, compressed`, async () => {
  const loaded = await firstLoad(server.base);
  assert.ok(loaded.length > 100, `${loaded.length} files`);
  for (const { path, sent, bytes } of loaded) {
    assert.ok(sent < bytes || bytes < SMALL, `${path} is sent as it is`);
  }
  const sum = total(loaded, 'sent') / 1_000;
  assert.ok(sum <= FIRST_LOAD_KB, `${sum} KB: node benches/page --only weight --files lists them`);
});
