import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { bot, echo, visitor } from './support/bot.js';
import { launch, state, videoRuns } from './support/browser.js';
import { Server } from './support/server.js';

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

let rooms = 0;

/** A page and the bot, connected. The one that joins second offers. */
async function meet(t, first, { media = 'none', options = [] } = {}) {
  const room = `den-${rooms += 1}`;
  const joins = { page: () => visitor(t, browser, server, { room, name: 'Ann', media }), bot: () => bot(t, server, room, ...options) };
  const second = first === 'page' ? 'bot' : 'page';
  const peers = { [first]: await joins[first]() };
  if (first === 'page') await state(peers.page, 'waiting');
  peers[second] = await joins[second]();
  await echo(peers.page, 'before');
  await remember(peers.page);
  return peers;
}

const remember = (page) => page.evaluate(() => {
  window.pc = () => [...window.signalpost.call.links.values()][0].pc;
  window.first = window.pc();
});

const isSame = (page) => page.evaluate(() => window.pc() === window.first);

/** The user name fragments of both ends. */
const fragments = (page) => page.evaluate(() => ['localDescription', 'remoteDescription'].map((one) => /^a=ice-ufrag:(\S+)/m.exec(window.pc()[one].sdp)[1]));

/** Packets go between candidates of the descriptions in force, and no longer between those from before the restart. */
const isRestarted = (page, [local, remote]) => page.waitForFunction(async ([local, remote]) => {
  const { localDescription, remoteDescription, signalingState } = window.pc();
  const reports = [...(await window.pc().getStats()).values()];
  const transport = reports.find(({ type }) => type === 'transport');
  const pair = reports.find(({ id }) => id === transport.selectedCandidatePairId);
  const used = reports.find(({ id }) => id === pair?.localCandidateId)?.usernameFragment;
  const [mine, theirs] = [localDescription, remoteDescription].map(({ sdp }) => /^a=ice-ufrag:(\S+)/m.exec(sdp)[1]);
  return signalingState === 'stable' && mine !== local && theirs !== remote && used === mine;
}, [local, remote]);

/** Adds tracks in mid-call, as a page does that pays no attention to the bot's card, and waits for the end of the exchange. */
async function add(page, source) {
  await page.evaluate(async (source) => {
    const { mediaDevices } = navigator;
    const stream = await (source === 'screen' ? mediaDevices.getDisplayMedia({ video: true }) : mediaDevices.getUserMedia({ [source]: true }));
    window.added = stream.getTracks().map((track) => window.pc().addTransceiver(track, { direction: 'sendrecv', streams: [stream] }));
  }, source);
  await page.waitForFunction(() => window.added.every(({ mid }) => mid !== null) && window.pc().signalingState === 'stable');
}

const directions = (page) => page.evaluate(() => window.added.map(({ currentDirection }) => currentDirection));

test('bot: packets get lost for a while, the page restarts ICE, and the connection comes back', async (t) => {
  const { page, bot: program } = await meet(t, 'bot');
  const old = await fragments(page);
  program.child.kill('SIGSTOP');
  await page.waitForFunction(() => window.pc().signalingState === 'have-local-offer');
  assert.equal(await page.evaluate(() => window.pc().iceConnectionState), 'disconnected');
  program.child.kill('SIGCONT');
  await isRestarted(page, old);
  await state(page, 'connected');
  await echo(page, 'after');
  assert.ok(await isSame(page), 'it took a new connection');
});

for (const first of ['page', 'bot']) {
  test(`bot, ${first} first: the page restarts ICE, and again`, async (t) => {
    const { page } = await meet(t, first);
    for (const round of ['once', 'twice']) {
      const old = await fragments(page);
      await page.evaluate(() => window.pc().restartIce());
      await isRestarted(page, old);
      await echo(page, round);
    }
    assert.ok(await isSame(page), 'it took a new connection');
  });

  test(`bot, ${first} first: what a page adds in the call is refused, and the chat continues`, async (t) => {
    const { page } = await meet(t, first);
    for (const source of ['audio', 'video', 'screen']) {
      await add(page, source);
      assert.deepEqual(await directions(page), ['inactive'], source);
      await echo(page, `with ${source}`);
      await page.evaluate(() => { for (const transceiver of window.added) transceiver.stop(); });
      await page.waitForFunction(() => window.added[0].currentDirection === 'stopped' && window.pc().signalingState === 'stable');
      await echo(page, `without ${source}`);
    }
    assert.ok(await isSame(page), 'it took a new connection');
  });

  test(`bot --echo, ${first} first: a page sees its picture come back, beside a screen, after ICE restarts, and when it is loaded again`, async (t) => {
    const { page } = await meet(t, first, { media: 'both', options: ['--echo'] });
    await videoRuns(page);
    await page.getByTestId('share-screen').click();
    await page.waitForFunction(() => window.pc().getTransceivers().some(({ currentDirection }) => currentDirection === 'sendonly'));
    await videoRuns(page);
    await echo(page, 'with a screen');
    const old = await fragments(page);
    await page.evaluate(() => window.pc().restartIce());
    await isRestarted(page, old);
    await videoRuns(page);
    await page.getByTestId('share-screen').filter({ hasText: 'Stop sharing' }).click();
    await page.waitForFunction(() => window.pc().getTransceivers().every(({ currentDirection }) => currentDirection !== 'sendonly'));
    await videoRuns(page);
    await echo(page, 'without the screen');
    assert.ok(await isSame(page), 'it took a new connection');
    await page.reload();
    await state(page, 'connected');
    await videoRuns(page);
    await echo(page, 'loaded again');
  });

  test(`bot --echo, ${first} first: a page that only chats adds its camera, and sees its picture come back`, async (t) => {
    const { page } = await meet(t, first, { media: 'chat', options: ['--echo'] });
    await page.getByTestId('camera-off').filter({ hasText: 'Camera on' }).click();
    await videoRuns(page);
    await page.getByTestId('mute').filter({ hasText: 'Unmute' }).click();
    await page.waitForFunction(() => window.pc().getTransceivers().filter(({ currentDirection }) => currentDirection === 'sendrecv').length === 2);
    await echo(page, 'with both');
    assert.ok(await isSame(page), 'it took a new connection');
  });
}
