import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from './support/browser.js';
import { Server } from './support/server.js';
import { Turn } from './support/turn.js';

const TTL_S = 5;

let turn, server, browser;
before(async () => {
  turn = await Turn.start();
  const flags = [...turn.flags({ transports: ['udp'] }), '--turn-ttl', String(TTL_S)];
  [server, browser] = await Promise.all([Server.start(flags), launch({ camera: false })]);
});
after(async () => {
  await browser.close();
  await server.stop();
  await turn.stop();
});

/** A page in a call that only a relay can carry. */
async function relayed(name) {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${server.base}/app/favicon.svg`);
  await page.evaluate(async (name) => {
    const { join } = await import('/client/index.js');
    const room = await join('/', 'relayed', { name });
    const call = room.call({ configuration: { iceTransportPolicy: 'relay' } });
    Object.assign(window, { room, call, first: room.iceServers });
  }, name);
  return page;
}

const chosen = () => [...window.call.links.values()].some(({ state }) => state === 'connected') && (async () => {
  const [{ pc }] = window.call.links.values();
  const reports = await pc.getStats();
  const { selectedCandidatePairId } = [...reports.values()].find(({ type }) => type === 'transport');
  const { localCandidateId } = reports.get(selectedCandidatePairId);
  return reports.get(localCandidateId).port;
})();

test('when an ICE restart comes after the first TURN credentials have expired, both ends still have a relay', async () => {
  const pages = [await relayed('Ann'), await relayed('Ben')];
  const before = await Promise.all(pages.map((page) => page.waitForFunction(chosen).then((handle) => handle.jsonValue())));
  // The user name begins with when they expire; server, coturn and browser are on one machine here.
  const expired = () => Date.now() / 1000 > Number(window.first[0].username.split(':')[0]) + 1;
  await Promise.all(pages.map((page) => page.waitForFunction(expired)));
  await pages[0].evaluate(() => [...window.call.links.values()][0].pc.restartIce());
  const moved = (port) => Promise.resolve([...window.call.links.values()][0].pc.getStats()).then((reports) => {
    const { selectedCandidatePairId } = [...reports.values()].find(({ type }) => type === 'transport');
    return reports.get(reports.get(selectedCandidatePairId).localCandidateId).port !== port;
  });
  await Promise.all(pages.map((page, at) => page.waitForFunction(moved, before[at], { timeout: 20_000 })));
  const states = await Promise.all(pages.map((page) => page.evaluate(() => [...window.call.links.values()].map(({ state }) => state))));
  assert.deepEqual(states, [['connected'], ['connected']]);
  await Promise.all(pages.map((page) => page.context().close()));
});
