import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { accessible } from './support/axe.js';
import { launch, startTest } from './support/browser.js';
import { IMPATIENT, STRICT } from './support/catalogue.js';
import { glance } from './support/glance.js';
import { Proxy } from './support/proxies.js';
import { said } from './support/said.js';
import { Server } from './support/server.js';
import { Turn } from './support/turn.js';
import { Way } from './support/way.js';

/** Limits the hold of polls. Long polls are tested behind the impatient proxy. */
const BRIEF = ['--wait-max-ms', '2000'];
/** A policy that some companies set in their browsers. It has the same effect as a network that blocks UDP. */
const NO_UDP = ['--webrtc-ip-handling-policy=disable_non_proxied_udp'];

let turn, server, browser;
const started = [];
const start = async (starting) => {
  const one = await starting;
  started.push(one);
  return one;
};
before(async () => {
  turn = await Turn.start();
  // No lease ends during the test: a peer that is gone has left.
  server = await Server.start([...BRIEF, '--lease-ms', '600000', '--stun-url', `stun:127.0.0.1:${turn.port}`, ...turn.flags()]);
  browser = await launch({ camera: false });
});
after(async () => {
  await browser.close();
  for (const one of [...started, server, turn]) await one.stop();
});

async function open(base, { from = browser, ...options } = {}) {
  const page = await (await from.newContext(options)).newPage();
  page.on('pageerror', (error) => console.error(error.stack));
  await startTest(page, base);
  return page;
}

/** The final report of the page: by kind of test, and the verdict. */
async function result(page) {
  await page.waitForFunction(() => document.body?.dataset.state === 'done', null, { timeout: 120_000 });
  const { tests, verdict, state } = await page.evaluate(() => window.signalpost.report);
  const of = (kind) => tests.filter((line) => line.kind === kind).map(({ outcome }) => outcome);
  const text = await page.getByTestId('report').textContent();
  assert.equal(await page.getByTestId('verdict').textContent(), verdict.words);
  for (const { title, outcome } of tests) assert.ok(text.includes(`${title}: ${outcome.words}`), `the report lacks ${title}`);
  return { of, verdict, state, text };
}

describe('the page that tests a network', { concurrency: true }, () => {
  test('where all is well it says so, tells no secret, and leaves nothing behind', { timeout: 600_000 }, async () => {
    const page = await open(server.base);
    const joins = [];
    // Responses to the page from before the reload can no longer be read.
    page.on('response', (response) => response.url().endsWith('/peers') && joins.push(response.json().catch(() => null)));
    // Regression: without the version of the server, no test began.
    await page.route('**/openapi.json', () => {});
    await page.reload();
    await page.getByTestId('start').click();
    const { of, verdict, text } = await result(page);
    assert.equal(verdict.grade, 'good', verdict.words);
    assert.match(verdict.words, /^Calls work here: directly .* and through a relay/);
    assert.equal(of('upgrade')[0].figures.upgrades, true);
    assert.equal(of('poll')[0].figures.longestMs, 2_000);
    assert.equal(of('stun')[0].figures.answers, true);
    assert.deepEqual(of('turn').map(({ figures }) => [figures.transport, figures.relays]), [['UDP', true], ['TCP', true]]);
    const read = (await Promise.all(joins)).filter(Boolean);
    for (const { token, peer, room, ice_servers: servers } of read) {
      // Only the second in a room has credentials.
      const { username, credential } = servers.find((one) => one.credential) ?? {};
      for (const secret of [token, username, credential, peer.id].filter(Boolean)) assert.ok(!text.includes(secret), 'a secret is in the report');
      // The page reports that it is done before it has left.
      const gone = async () => (await new Way(server.base).ask(`/v1/rooms/${room}`)).status === 404;
      while (!await gone()) await glance();
    }
    assert.ok(read.length > 0);
    await page.context().close();
  });

  test('behind a proxy that refuses upgrades it says that these fail, and that calls do not need them', async () => {
    const proxy = await start(Proxy.start(STRICT, new URL(server.base).host));
    const page = await open(proxy.base);
    const { of, verdict } = await result(page);
    assert.equal(of('upgrade')[0].figures.upgrades, false);
    assert.match(of('upgrade')[0].words, /do not get through.*does without them/);
    assert.equal(verdict.grade, 'good', verdict.words);
    await page.context().close();
  });

  test('behind a proxy that cuts polls after 8 s it finds out, and finds a hold that comes back', async () => {
    const bare = await start(Server.start());
    const proxy = await start(Proxy.start(IMPATIENT, new URL(bare.base).host));
    const page = await browser.newPage();
    await page.goto(`${proxy.base}/network-test`);
    await said(page, '[data-test=poll]', /is waiting for its response: [2-7] s of up to 55 s/, () => page.getByTestId('start').click());
    const { of, verdict } = await result(page);
    const [{ grade, words, figures }] = of('poll');
    assert.ok(figures.cutAfterMs > 7_500 && figures.cutAfterMs < 40_000, `cut after ${figures.cutAfterMs} ms`);
    assert.ok(figures.longestMs < figures.cutAfterMs && figures.longestMs > 4_000, `${figures.longestMs} ms came back`);
    assert.equal(grade, 'fair');
    assert.match(words, /^A request was cut off after \d.*Signalpost detects/);
    assert.deepEqual([verdict.grade, of('turn')[0].grade], ['bad', 'fair']);
    assert.match(verdict.words, /same network: no STUN server is set up, and no relay is set up/);
    await page.context().close();
  });

  test('with a wrong secret, a dead relay and a misspelt STUN server it says what is wrong with each', async () => {
    const dead = 'turn:127.0.0.1:9?transport=tcp';
    const flags = [...BRIEF, '--stun-url', 'stun:stun.example.invalid:3478', '--turn-url', dead, ...turn.flags({ secret: 'south', transports: ['udp'] })];
    const wrong = await start(Server.start(flags));
    const page = await open(wrong.base);
    const { of, verdict } = await result(page);
    assert.match(of('stun')[0].words, /No server has the name stun.example.invalid/);
    const [silent, refusing] = of('turn');
    assert.match(silent.words, /^127.0.0.1 does not respond over TCP/);
    assert.match(refusing.words, /refuses the TURN credentials \(401\)/);
    assert.match(refusing.todo, /--turn-secret/);
    assert.equal(verdict.grade, 'bad');
    assert.match(verdict.words, /no STUN server responds, and no relay can be used/);
    await page.context().close();
  });

  test('where UDP is blocked it says that calls go through a relay over TCP', async () => {
    const blocked = await launch({ camera: false, flags: NO_UDP });
    const page = await open(server.base, { from: blocked });
    const { of, verdict } = await result(page);
    assert.deepEqual(of('turn').map(({ figures }) => [figures.transport, figures.relays]), [['UDP', false], ['TCP', true]]);
    assert.equal(of('stun')[0].grade, 'bad', of('stun')[0].words);
    assert.match(verdict.words, /^Calls work here, through a relay over TCP: UDP is blocked/);
    await blocked.close();
  });

  test('it can be stopped and begun again, by keyboard, and fits a phone', async () => {
    const patient = await start(Server.start());
    const page = await open(patient.base, { viewport: { width: 360, height: 700 }, isMobile: true, hasTouch: true, colorScheme: 'dark' });
    await page.locator('[data-test=poll] progress').waitFor();
    await page.getByTestId('stop').focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.body?.dataset.state === 'stopped');
    assert.match(await page.getByTestId('report').textContent(), /\[…\] Long requests: stopped/);
    const shown = await page.locator('[data-test=poll]').evaluate((row) => [row.querySelector('[data-part=grade]').textContent, row.querySelector('progress').hidden]);
    assert.deepEqual(shown, ['Stopped', true]);
    assert.equal(await page.getByTestId('verdict').textContent(), 'Stopped.');
    await page.locator('summary').click();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
    await accessible(page);
    await page.getByTestId('again').focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.body?.dataset.state === 'running');
    await page.locator('[data-test=poll] progress').waitFor();
    await accessible(page);
    await page.context().close();
  });

  test('a server that dies during the test is not blamed on a proxy, and a WebSocket that opens and closes at once counts', async () => {
    const mortal = await start(Server.start());
    const context = await browser.newContext();
    // As Firefox does if the 101 and the close come in one segment.
    await context.addInitScript(() => {
      window.WebSocket = class { constructor() { setTimeout(() => this.onclose({ code: 1000 })); } close() {} };
    });
    const page = await context.newPage();
    await startTest(page, mortal.base);
    await page.locator('[data-test=poll] progress').waitFor();
    await page.locator('[data-test=upgrade][data-grade=good]').waitFor();
    await mortal.kill();
    const { of, verdict } = await result(page);
    assert.deepEqual([of('poll')[0].grade, of('poll')[0].words], ['unknown', 'The server stopped responding during the test.']);
    assert.deepEqual([verdict.grade, verdict.words], ['unknown', 'Could not tell whether calls work here. Test again when the server is back.']);
    await accessible(page);
    await context.close();
  });

  // It was said that the test itself had failed.
  test('a server that dies before the second of two seats is taken has stopped responding, too', async () => {
    const mortal = await start(Server.start());
    const context = await browser.newContext();
    let joins = 0;
    await context.route(/\/peers$/, async (route) => {
      joins += 1;
      if (joins === 2) await mortal.kill();
      await route.continue();
    });
    const page = await context.newPage();
    await startTest(page, mortal.base);
    const { of } = await result(page);
    assert.deepEqual([of('poll')[0].grade, of('poll')[0].words], ['unknown', 'The server stopped responding during the test.']);
    await context.close();
  });
});
