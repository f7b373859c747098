import { after, before, test } from 'node:test';

import { launch } from './support/browser.js';
import { glance } from './support/glance.js';
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

/** A page in a call that needs a relay. */
async function relayed(name) {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${server.base}/app/favicon.svg`);
  await page.evaluate(async (name) => {
    const { join } = await import('/client/index.js');
    const room = await join('/', 'relayed', { name });
    const call = room.call({ configuration: { iceTransportPolicy: 'relay' } });
    Object.assign(window, { call });
  }, name);
  return page;
}

/** Once connected: the port of the relay in use, and the user name that allocated it. */
async function relay(page, other) {
  for (;;) {
    const found = await page.evaluate(async () => {
      const [{ state, pc } = {}] = window.call.links.values();
      if (state !== 'connected') return null;
      const reports = await pc.getStats();
      const { selectedCandidatePairId } = [...reports.values()].find(({ type }) => type === 'transport');
      const port = reports.get(reports.get(selectedCandidatePairId)?.localCandidateId)?.port;
      return port && { port, username: pc.getConfiguration().iceServers[0].username };
    });
    if (found && found.port !== other) return found;
    await glance();
  }
}

test('when an ICE restart comes after the TURN credentials of a call have expired, both ends still have a relay', async () => {
  const pages = [await relayed('Ann'), await relayed('Ben')];
  const before = await Promise.all(pages.map((page) => relay(page)));
  // The user name starts with its expiry. Server, coturn and browser share one clock here.
  const expired = ({ username }) => Date.now() / 1000 > Number(username.split(':')[0]) + 1;
  await Promise.all(pages.map((page, at) => page.waitForFunction(expired, before[at])));
  await pages[0].evaluate(() => [...window.call.links.values()][0].pc.restartIce());
  await Promise.all(pages.map((page, at) => relay(page, before[at].port)));
  await Promise.all(pages.map((page) => page.context().close()));
});
