import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { accessible } from './support/axe.js';
import { enter, launch, state } from './support/browser.js';
import { Server } from './support/server.js';
import { Turn } from './support/turn.js';

let turn, server, misled, browser;
before(async () => {
  turn = await Turn.start();
  [server, misled, browser] = await Promise.all([
    Server.start(turn.flags({ transports: ['tcp'] })),
    Server.start(turn.flags({ secret: 'south', transports: ['tcp'] })),
    launch(),
  ]);
});
after(async () => {
  await browser.close();
  await Promise.all([server, misled, turn].map((one) => one.stop()));
});

/** A visitor whose browser may only use relays, unless `direct`. */
async function visit(base, name, { room, direct = false, ...options }) {
  const context = await browser.newContext({ viewport: { width: 900, height: 700 }, ...options });
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(`${name}: ${error.stack}`));
  if (!direct) {
    await page.addInitScript(() => {
      window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(configuration) { super({ ...configuration, iceTransportPolicy: 'relay' }); }
        setConfiguration(configuration) { super.setConfiguration({ ...configuration, iceTransportPolicy: 'relay' }); }
      };
    });
  }
  await enter(page, `${base}/?${new URLSearchParams({ room, name, media: 'both' })}`);
  return page;
}

async function couple(base, options) {
  return [await visit(base, 'Ann', options), await visit(base, 'Ben', options)];
}

/** Waits until the panel shows this about the connection. */
async function shown(page, so) {
  await page.waitForFunction(so, null, { timeout: 120_000 });
  return (await page.evaluate(() => window.signalpost.report))[0];
}

const close = (pages) => Promise.all(pages.map((page) => page.context().close()));

test('the panel says that a call is direct, draws its figures, and shows which candidates are in use', async () => {
  const pages = await couple(server.base, { room: 'direct', direct: true, viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true });
  await Promise.all(pages.map((page) => state(page, 'connected')));
  const [ann] = pages;
  const flowing = () => window.signalpost.report[0]?.receivedKbps > 0 && window.signalpost.report[0].roundTripMs !== null;
  const { way } = await shown(ann, flowing);
  assert.deepEqual([way.kind, way.protocol], ['direct', 'UDP']);
  // Both ends are on the same machine, but not always at the same address.
  assert.match(await ann.getByTestId('ways').textContent(), /^Direct, on the same (machine|network)$/);
  await ann.getByTestId('diagnostics').locator('> summary').click();
  await ann.getByTestId('connection').locator('summary').click();
  assert.match(await ann.getByTestId('way').textContent(), /^Direct, on the same (machine|network) over UDP$/);
  const used = ann.getByTestId('candidates').locator('[data-used=true]');
  const sides = (await used.locator('td:first-child').allTextContents()).sort();
  assert.deepEqual(sides, ['here', 'there']);
  assert.equal(await ann.evaluate(() => document.documentElement.scrollWidth), 360);
  const drawn = () => [...document.querySelectorAll('.figure path')].slice(0, 3).every((path) => /^M.*L/.test(path.getAttribute('d')));
  await ann.waitForFunction(drawn);
  const charts = await ann.locator('.figure svg').evaluateAll((all) => all.map((svg) => svg.getAttribute('aria-label')));
  assert.match(charts[1], /^Received over the last \d+ s: now \d.* at most \d.*bit\/s$/);
  assert.equal(await ann.getByTestId('trouble').isHidden(), true);
  await close(pages);
});

test('without the part that measures connections there is a call, and the panel says that it did not load', async () => {
  const ann = await visit(server.base, 'Ann', { room: 'unmeasured', direct: true });
  await state(ann, 'waiting');
  const context = await browser.newContext();
  await context.route('**/panel/panel.js', (route) => route.abort());
  const ben = await context.newPage();
  await enter(ben, `${server.base}/?room=unmeasured&name=Ben`);
  await Promise.all([ann, ben].map((page) => state(page, 'connected')));
  await ben.getByTestId('ways').filter({ hasText: 'Part of this page did not load' }).waitFor();
  assert.ok(await ben.locator('#no-connection').isHidden(), 'it does not say that nobody is there');
  assert.deepEqual(await ben.evaluate(() => window.signalpost.report), []);
  await ben.getByTestId('hang-up').click();
  await ben.waitForFunction(() => document.querySelector('[data-testid=ways]').textContent === '');
  assert.equal(await ben.getByTestId('ways').getAttribute('data-say'), null);
  await close([ann, ben]);
});

test('the panel says that a call is relayed, by whom and over what', async () => {
  const pages = await couple(server.base, { room: 'relayed' });
  await Promise.all(pages.map((page) => state(page, 'connected')));
  for (const page of pages) {
    const { way } = await shown(page, () => window.signalpost.report[0]?.way);
    assert.deepEqual(way, { kind: 'relay', words: 'Relayed by this server, over TCP', protocol: 'TCP' });
  }
  await close(pages);
});

test('a call that does not connect says why and what to do, at phone width too', async () => {
  const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, colorScheme: 'dark' };
  const pages = await couple(misled.base, { room: 'failing', ...phone });
  const [ann] = pages;
  const trouble = ann.getByTestId('trouble');
  // Until the relay has answered, something else may be said.
  await trouble.filter({ hasText: /127\.0\.0\.1 refuses the TURN credentials \(401\)\. .*--turn-secret/ }).waitFor();
  assert.match(await trouble.locator('a').getAttribute('href'), /^network-test$/);
  await ann.getByTestId('diagnostics').locator('> summary').click();
  assert.match(await ann.getByTestId('findings').textContent(), /401/);
  await accessible(ann);
  assert.equal(await ann.evaluate(() => document.documentElement.scrollWidth), 360);
  await close(pages);
});

test('an end that has gone silent is said to be that', async () => {
  const ann = await visit(server.base, 'Ann', { room: 'silent', direct: true });
  await state(ann, 'waiting');
  // A peer without a page, so nothing answers.
  const response = await fetch(`${server.base}/v1/rooms/silent/peers`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"name": "Cleo"}' });
  assert.equal(response.status, 201);
  const trouble = ann.getByTestId('trouble');
  await trouble.filter({ hasText: 'Nothing has arrived from Cleo yet' }).waitFor();
  await ann.context().close();
});
