import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { join } from '../../web/client/index.js';
import { authority } from '../net/support/authority.js';
import { launch } from './support/browser.js';
import { DEFAULTS, FORWARD, IMPATIENT, RECOMMENDED } from './support/catalogue.js';
import { JOINS_A_SECOND, address, call, hold, tabs, vanish } from './support/journey.js';
import { Proxy } from './support/proxies.js';
import { Server } from './support/server.js';
import { startUpgrading, upgrades } from './support/upgrading.js';
import { Way } from './support/way.js';

const PAGE = new URL('../../docs/proxies.md', import.meta.url);
const HEAD = ['Proxy', 'as', '25 s', '55 s', 'a call', '200 messages', 'client gone: its poll ends', 'its seat frees', 'whose address', 'tabs'];

// Every proxy and server adds an exit listener.
process.setMaxListeners(0);

// Chromium keeps no files in its cache from a server whose certificate it was only told to ignore.
let issued, browser;
before(async () => {
  issued = await authority(['DNS:localhost', 'IP:127.0.0.1']);
  browser = await launch({ home: issued.folder });
});
after(async () => {
  await browser.close();
  await rm(issued.folder, { recursive: true });
});

/** Runs one browser test at a time: media takes time from everything else, so two would take longer than one after the other. */
let last = Promise.resolve();
function inTurn(work) {
  const result = last.then(work);
  last = result.catch(() => {});
  return result;
}

/** Starts a proxy from a `recipe` and runs all tests on it; resolves with its row of the table. */
async function journey(name, as, recipe) {
  const flags = recipe?.forward ? [] : ['--trusted-proxy', '127.0.0.1'];
  if (recipe?.intercepts) flags.push('--tls-self-signed');
  const server = await Server.start(['--rate-join', String(JOINS_A_SECOND), ...flags]);
  const proxy = recipe && await Proxy.start(recipe, new URL(server.base).host, issued);
  const way = await new Way(server.base, proxy).open();
  const { poll, expired } = await vanish(way, server);
  const holding = Promise.all([hold(way, 25), hold(way, 55)]);
  const spoken = await inTurn(() => call(browser, way));
  const held = await holding;
  const [ended, free] = await Promise.all([poll, expired]);
  // Over HTTP/1.1 the browser has six connections, as without a proxy.
  const many = !recipe || recipe.scheme === 'https' ? await inTurn(() => tabs(browser, way, server)) : '';
  const row = [name, as, ...held, 'connects', spoken, ended, free, await address(way), many];
  console.log(row.join(' | '));
  await proxy?.stop();
  await server.stop();
  return row;
}

const table = (rows) => [HEAD, HEAD.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

function ways() {
  const rows = (recipes, as) => Object.entries(recipes).map(([name, recipe]) => [name, as(recipe), recipe]);
  return [
    ['none', ''],
    ...rows(DEFAULTS, () => 'its defaults'),
    ...rows(RECOMMENDED, ({ file }) => `[deploy/${file}](../deploy/${file})`),
    ...rows(FORWARD, () => 'the people’s'),
  ];
}

describe('through proxies', { concurrency: true }, () => {
  test('holds, a call, messages, vanished clients, addresses and tabs are as docs/proxies.md says', { timeout: 900_000 }, async () => {
    const rows = await Promise.all(ways().map(([name, as, recipe]) => journey(name, as, recipe)
      .catch((error) => { throw new Error(`${name}, ${as}: ${error.stack}`); })));
    const page = await readFile(PAGE, 'utf8');
    const [start, , end] = page.split('<!-- table -->');
    const measured = `${start}<!-- table -->\n${table(rows)}\n<!-- table -->${end}`;
    if (process.env.UPDATE_DOCS) await writeFile(PAGE, measured);
    else assert.equal(measured, page, 'docs/proxies.md says otherwise: look into it, or run this again with UPDATE_DOCS=1');
  });

  test('the proxies on the people’s side refuse WebSockets, which open without them', async () => {
    for (const [name, recipe] of Object.entries(FORWARD)) {
      const target = await startUpgrading({ secure: recipe.intercepts });
      const proxy = await Proxy.start(recipe, new URL(target.base).host);
      const { browsing } = new Way(target.base, proxy);
      assert.equal(await upgrades(browser, { ignoreHTTPSErrors: true }, target), true, `${name} is not what refuses`);
      assert.equal(await upgrades(browser, browsing, target), false, `a WebSocket opened through ${name}`);
      await Promise.all([proxy.stop(), target.stop()]);
    }
  });

  test('behind a proxy that gives up on polls after 8 s the client asks for shorter ones, and loses nothing', async () => {
    const server = await Server.start();
    const proxy = await Proxy.start(IMPATIENT, new URL(server.base).host);
    const polls = new EventEmitter();
    const statuses = [];
    const watched = async (url, init) => {
      const response = await fetch(url, init);
      if (url.includes('wait=')) {
        statuses.push(response.status);
        polls.emit('answered');
      }
      return response;
    };
    const [ann, ben] = await Promise.all(['Ann', 'Ben'].map((name) => join(proxy.base, 'tea', { name, fetch: watched })));
    const [got, states] = [[], []];
    // A response that waited for seconds on a busy machine is taken for one out of a cache, and asked for again.
    ann.on('state', ({ state, error }) => { if (state !== 'connected' && error?.reason !== 'stale') states.push(state); });
    const complete = new Promise((resolve) => ann.on('message', ({ data }) => got.push(data) === 100 && resolve()));
    while (statuses.filter((status) => status === 504).length < 2) await once(polls, 'answered');
    const numbers = Array.from({ length: 100 }, (_, number) => number);
    await Promise.all([complete, ...numbers.map((data) => ben.send(ann.self.id, { type: 'data', data }))]);
    const since = statuses.length;
    // On a busy machine an answer may come later than the hold by more than the proxy has patience; the client adapts again.
    const fits = () => statuses.length >= since + 6 && statuses.slice(-6).every((status) => status === 200);
    while (!fits()) {
      assert.ok(statuses.length < since + 30, `the hold still does not fit: ${statuses}`);
      await once(polls, 'answered');
    }
    assert.deepEqual(got, numbers);
    assert.deepEqual(states, [], 'a poll that was cut is not a lost connection');
    await Promise.all([ann.leave(), ben.leave()]);
    await proxy.stop();
    await server.stop();
  });
});
