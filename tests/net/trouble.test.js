import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';

import { framesDecoded } from '../e2e/support/browser.js';
import { glance } from '../e2e/support/glance.js';
import { Meeting } from './support/meeting.js';
import { discard } from './support/services.js';
import { record } from './support/table.js';

const STRAIGHT = 'through the NATs, udp';
const told = ['STUN', 'TURN/UDP'];
const CUT_MS = 20_000;

after(discard);

test('5 % loss and 150 ms each way between the callers and the server', () =>
  Meeting.hold({ told, wire: { delayMs: 150, lossPercent: 5 } }, async (meeting) => {
    await meeting.begin();
    const row = await meeting.row('signaling with 5 % loss and 150 ms each way', STRAIGHT, 60);
    assert.equal(row.media, STRAIGHT);
    await record(row);
  }));

/** Cuts a host off after Ben has made his offer. The offer or the answer may be lost, or both are late. Tells whether they had not met before. */
const holdCut = (network, machine) => Meeting.hold({ told, wire: { delayMs: 150, lossPercent: 0 } }, async (meeting) => {
  await meeting.begin();
  await meeting.ben.said('offer');
  await meeting.network.cut(machine);
  await setTimeout(CUT_MS);
  if (await meeting.ann.page.evaluate(() => window.seen !== undefined)) return false;
  await meeting.network.mend(machine);
  const row = await meeting.row(network, STRAIGHT, 60);
  assert.equal(row.media, STRAIGHT);
  await record(row);
  return true;
});

const cut = (network, machine) => test(network, async () => {
  for (let tries = 1; !await holdCut(network, machine); tries += 1) assert.ok(tries < 3, 'the cut came too late every time');
});

cut('signaling cut for 20 s after the offer', 'server');
cut('Ben cut off for 20 s after his offer', 'nat2');

test('Ann changes networks in mid-call', () => Meeting.hold({ told }, async (meeting) => {
  const { ann, ben, network } = meeting;
  await meeting.begin();
  await meeting.connected();
  const [before, messages] = await Promise.all([ann.connection(), meeting.messages()]);
  await network.move('ann', 1, 3);
  const started = Date.now();
  await Promise.all([ann, ben].map(async ({ page }) => runsAgain(page, await standsStill(page))));
  const took = `${((Date.now() - started) / 1000).toFixed(1)} s`;
  const { ufrag, ...same } = await ann.connection();
  assert.deepEqual(same, { seat: before.seat, connection: before.connection }, 'the seat or the connection has changed');
  assert.notEqual(ufrag, before.ufrag, 'ICE was not restarted');
  const row = await meeting.row('Ann changes networks in mid-call', STRAIGHT);
  assert.equal(row.media, STRAIGHT);
  assert.equal((await ann.path()).address, '203.0.113.103', 'her packets still come from the old network');
  await record({ ...row, cells: [...row.cells.slice(0, 2), took, String(await meeting.messages() - messages)] });
}));

/** Resolves when no frame has arrived for a second, with the number of frames so far. */
async function standsStill(page) {
  let frames = await framesDecoded(page);
  for (let since = Date.now(); Date.now() - since < 1_000;) {
    await glance();
    const now = await framesDecoded(page);
    if (now !== frames) [frames, since] = [now, Date.now()];
  }
  return frames;
}

async function runsAgain(page, frames) {
  while (await framesDecoded(page) === frames) await glance();
}
