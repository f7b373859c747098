import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { heard, launch, say, startTest, state, videoRuns, visit } from './support/browser.js';
import { launchFirefox } from './support/firefox.js';
import { call, chats } from './support/native-call.js';
import { LIBRARIES } from './support/native.js';
import { Server } from './support/server.js';

/** Otherwise `turns:` needs a certificate that the browser verifies. */
const UNVERIFIED = ['--ignore-certificate-errors'];

/** Limits the hold of polls, which the network test tries. */
const BRIEF = ['--wait-max-ms', '2000'];

let server, plain, browser;
before(async () => {
  [server, plain, browser] = await Promise.all([Server.start(['--tls-self-signed', ...BRIEF]), Server.start(['--turn-relay', 'closed']), launch({ flags: UNVERIFIED })]);
});
after(async () => { await browser.close(); await server.stop(); await plain.stop(); });

/** Makes the page use relays only, and of these only one: `udp`, `tcp`, or `tls`. */
function restrict(way) {
  const kept = (url) => (way === 'tls' ? url.startsWith('turns:') : url.startsWith('turn:') && url.endsWith(way));
  const only = (configuration) => ({
    ...configuration,
    iceTransportPolicy: 'relay',
    iceServers: (configuration?.iceServers ?? []).map((one) => ({ ...one, urls: [one.urls].flat().filter(kept) })).filter(({ urls }) => urls.length > 0),
  });
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration) { super(only(configuration)); }
    setConfiguration(configuration) { super.setConfiguration(only(configuration)); }
  };
}

const restricted = (way) => ({ content: `(${restrict})('${way}')` });

const path = () => window.signalpost.report[0]?.way;

for (const way of ['udp', 'tcp', 'tls']) {
  test(`a call runs through the server's own relay over ${way}`, async () => {
    const options = { room: way, ignoreHTTPSErrors: true, prepare: restricted(way) };
    const ann = await visit(browser, server.base, { ...options, name: 'Ann' });
    await state(ann, 'waiting');
    const ben = await visit(browser, server.base, { ...options, name: 'Ben' });
    await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
    await Promise.all([videoRuns(ann), videoRuns(ben)]);
    await say(ann, 'one lump?');
    await heard(ben, 'one lump?');
    for (const page of [ann, ben]) {
      await page.waitForFunction(path, null, { timeout: 120_000 });
      assert.deepEqual(await page.evaluate(path), { kind: 'relay', words: `Relayed by this server, over ${way.toUpperCase()}`, protocol: way.toUpperCase() });
    }
    await Promise.all([ann, ben].map((page) => page.context().close()));
  });
}

test('the network test tries the relay in each way, and says what that means', async () => {
  const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
  await startTest(page, server.base);
  await page.waitForFunction(() => document.body?.dataset.state === 'done', null, { timeout: 240_000 });
  const { tests, verdict } = await page.evaluate(() => window.signalpost.report);
  const relays = tests.filter(({ kind }) => kind === 'turn').map(({ outcome }) => [outcome.figures.transport, outcome.figures.relays]);
  assert.deepEqual(relays, [['UDP', true], ['TCP', true], ['TLS', true]]);
  assert.equal(verdict.grade, 'good', verdict.words);
  await page.context().close();
});

for (const library of Object.keys(LIBRARIES)) {
  test(`${library} calls the page through the relay`, () => call({ server: plain, browser }, library, 'page', {
    options: ['relay'],
    prepare: restricted('udp'),
  }, async (page, native) => {
    await state(page, 'connected');
    await chats(page, native);
    await page.waitForFunction(path, null, { timeout: 120_000 });
    assert.equal((await page.evaluate(path)).kind, 'relay');
  }));
}

test('Firefox calls Chromium through the relay', async () => {
  const firefox = await launchFirefox();
  try {
    const page = await firefox.page();
    await page.evaluateOnNewDocument(restrict, 'udp');
    const options = { room: 'firefox', prepare: restricted('udp') };
    const ben = await visit(browser, plain.base, { ...options, name: 'Ben' });
    await state(ben, 'waiting');
    await page.goto(`${plain.base}/?room=firefox&name=Ann&media=both`);
    await page.locator('[data-testid=join]').click();
    await state(ben, 'connected');
    await videoRuns(ben);
    await page.waitForFunction(() => [...document.querySelectorAll('[data-testid=remote-video]')].some(({ videoWidth }) => videoWidth > 0), { timeout: 120_000 });
    await page.waitForFunction(path, { timeout: 120_000 });
    assert.match((await page.evaluate(path)).words, /^Relayed( by this server,)? over UDP$/);
    await ben.context().close();
  } finally {
    await firefox.close();
  }
});
