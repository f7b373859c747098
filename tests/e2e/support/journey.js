import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';

import { enter, state, videoRuns, visit } from './browser.js';
import { Way } from './way.js';

/** How late a seat may become free on a busy machine. It is less than a hold, so it detects a lease that starts at the hold's end. */
const LATE_MS = 15_000;
/** How long a poll is held at least that asks for 25 s: the server shortens it by up to a tenth. */
const SHORTEST_HOLD_MS = 22_500;
/** An address of its own, which shares its rate limit with nobody. */
const ONLOOKER = '127.0.4.1';
/** The pause between two looks at `/metrics`: within the rate limit of an address. The figures are up to a second old anyway. */
const LOOK_MS = 500;
const MESSAGES = 200;
/** How many messages are sent concurrently. One by one they would take minutes on a busy machine. */
const AT_A_TIME = 10;

/** Joins without our client. Resolves with the peer's mailbox and credentials. */
async function join(way, room) {
  const { status, body } = await way.ask(`/v1/rooms/${room}/peers`, { method: 'POST' });
  assert.equal(status, 201, JSON.stringify(body));
  const { peer, token, cursor, lease_ms: lease } = body;
  return { id: peer.id, mailbox: `/v1/rooms/${room}/peers/${peer.id}/messages`, headers: { Authorization: `Bearer ${token}` }, cursor, lease };
}

/** The number of parked polls. */
export async function parked(server) {
  const { body } = await new Way(server.base).ask('/metrics');
  return Number(body.match(/parked_polls (\d+)/)[1]);
}

async function parkedBecomes(server, wanted) {
  for (const started = Date.now(); Date.now() - started < 60_000;) {
    if (await parked(server) === wanted) return true;
    await setTimeout(LOOK_MS);
  }
  return false;
}

/**
 * Do polls survive a hold of `seconds`? Tries four at once, because the server shortens each hold by up to a tenth.
 *
 * @returns {Promise<string>} `yes`, or the response that came instead
 */
export async function hold(way, seconds) {
  const answers = await Promise.all(['a', 'b', 'c', 'd'].map(async (letter) => {
    const { mailbox, headers } = await join(way, `hold-${seconds}-${letter}`);
    const started = performance.now();
    const { status } = await way.ask(`${mailbox}?wait=${seconds}&after=0`, { headers });
    return { status, took: Math.round((performance.now() - started) / 1000) };
  }));
  const bad = answers.find(({ status }) => status !== 200);
  // Rounded down, as a busy machine adds some seconds.
  if (bad) return `${bad.status} after ${Math.floor(bad.took / 10) * 10} s`;
  for (const { took } of answers) assert.ok(took >= seconds * 0.9 - 1, `a hold of ${seconds} s came back after ${took} s`);
  return 'yes';
}

/**
 * A client with a parked poll disappears. When does its poll end, and is its seat free when its lease ends?
 *
 * @returns {Promise<{ poll: Promise<string>, expired: Promise<string> }>}
 */
export async function vanish(way, server) {
  // Another peer polls the server directly, and fills the room.
  const direct = new Way(server.base);
  const witness = await join(direct, 'vanishing');
  const { id, mailbox, headers, lease } = await join(way, 'vanishing');
  const polling = await way.send(`${mailbox}?wait=25&after=0`, { headers });
  polling.on('error', () => {});
  assert.ok(await parkedBecomes(server, 1), 'the poll did not arrive');
  const polled = Date.now();
  polling.destroy();
  const told = { poll: ending(direct, lease), expired: expiry(direct, witness, id, polled) };
  // They are awaited later; a failure before that must not end the process.
  for (const promise of Object.values(told)) promise.catch(() => {});
  return told;
}

/**
 * Resolves when the seat is quiet, which it is some seconds after its poll has ended. A newcomer to the full room is told so, and how
 * much of the lease is left, which began with the poll: all by the server's clock, so it does not matter when we ask.
 */
async function ending(direct, lease) {
  for (;;) {
    const { status, body } = await direct.ask('/v1/rooms/vanishing/peers', { method: 'POST', from: ONLOOKER });
    assert.equal(status, 409, JSON.stringify(body));
    const [, { quiet, frees_in_ms: left }] = body.seats;
    if (quiet) return lease - left < SHORTEST_HOLD_MS ? 'at once' : 'with its hold';
    await setTimeout(LOOK_MS);
  }
}

/** Resolves when the witness has been told. */
async function expiry(direct, { mailbox, headers, cursor, lease }, id, polled) {
  for (let after = cursor; Date.now() - polled < lease + 2 * LATE_MS;) {
    const { body } = await direct.ask(`${mailbox}?wait=5&after=${after}`, { headers });
    const left = body.messages.find(({ type, peer }) => type === 'peer-left' && peer === id);
    if (left) {
      const took = Date.now() - polled;
      return left.reason === 'expired' && took <= lease + LATE_MS ? 'yes' : `${left.reason} after ${Math.round(took / 1000)} s`;
    }
    after = body.cursor;
  }
  return 'no';
}

/** A call between two pages through the proxy, then numbered messages from one to the other. */
export async function call(browser, way) {
  const pages = [];
  for (const name of ['Ann', 'Ben']) pages.push(await visit(browser, way.base, { room: 'call', name, ...way.browsing }));
  const [ann, ben] = pages;
  await Promise.all(pages.map((page) => state(page, 'connected')));
  await Promise.all(pages.map((page) => videoRuns(page)));
  await ben.evaluate(() => {
    window.got = [];
    window.signalpost.room.on('message', ({ data }) => data?.number !== undefined && window.got.push(data.number));
  });
  await ann.evaluate(async ([count, some]) => {
    const send = (number) => window.signalpost.room.send(null, { type: 'data', data: { number } });
    for (let first = 0; first < count; first += some) await Promise.all(Array.from({ length: some }, (_, index) => send(first + index)));
  }, [MESSAGES, AT_A_TIME]);
  await ben.waitForFunction((count) => window.got.length >= count, MESSAGES, { timeout: 120_000 });
  assert.deepEqual(await ben.evaluate(() => window.got), Array.from({ length: MESSAGES }, (_, number) => number));
  await Promise.all(pages.map((page) => page.context().close()));
  return 'yes';
}

/** Of the servers here: `--rate-join`, and the burst that it allows. */
export const JOINS_A_SECOND = 2;
const BURST = 10 * JOINS_A_SECOND;

/**
 * Which address does the server rate-limit? One client uses up the limit of its address, and another must still have its own; a
 * third forges a different address in each request.
 */
export async function address(way) {
  const asked = 60;
  const open = async (from, headers) => (await way.ask('/v1/rooms', { from, method: 'POST', headers })).status === 201;
  /** How many concurrent requests are granted: little more than 20, even on a slow machine. */
  const granted = async (from, headersOf) => (await Promise.all(Array.from({ length: asked }, (_, number) => open(from, headersOf(number))))).filter(Boolean).length;
  const started = performance.now();
  const first = await granted('127.0.3.7', () => undefined);
  assert.ok(first < asked, 'nothing is counted');
  const both = first + await granted('127.0.3.8', () => undefined);
  // Two clients of one address share a burst, and what has come since: much, on a slow machine.
  const shared = BURST + JOINS_A_SECOND * (performance.now() - started) / 1000;
  const own = both > shared + BURST / 2;
  const forged = await granted('127.0.3.9', (number) => ({ 'X-Forwarded-For': `203.0.113.${number}` })) === asked
    || await granted('127.0.3.10', (number) => ({ Forwarded: `for=203.0.113.${number}` })) === asked;
  return `${own ? 'yes' : 'the proxy’s'}${forged ? ', can be forged' : ''}`;
}

/** In a page: counts polls that have begun, and those in flight. */
function countPolls() {
  const { fetch } = window;
  window.polls = { begun: 0, open: 0 };
  window.fetch = async (url, init) => {
    if (!String(url).includes('/messages?wait=')) return fetch(url, init);
    window.polls.begun += 1;
    window.polls.open += 1;
    return fetch(url, init).finally(() => { window.polls.open -= 1; });
  };
}

/** How many polls these pages have begun, as soon as each page has one in flight. */
async function polling(pages) {
  await Promise.all(pages.map((page) => page.waitForFunction(() => window.polls.open === 1, null, { polling: 50 })));
  return (await Promise.all(pages.map((page) => page.evaluate(() => window.polls.begun)))).join();
}

/** Ten tabs of one browser, each in a room: how many can send a request while all polls are parked? */
export async function tabs(browser, way, server) {
  const context = await browser.newContext(way.browsing);
  await context.addInitScript(countPolls);
  const others = await parked(server);
  const open = async (tab) => {
    const page = await context.newPage();
    await enter(page, `${way.base}/?${new URLSearchParams({ room: `tab-${tab}`, name: 'Ann', media: 'none' })}`);
    await state(page, 'waiting');
    return page;
  };
  const answered = (page) => page.evaluate(() => fetch('/healthz', { signal: AbortSignal.timeout(3_000) }).then(() => true, () => false));
  const pages = [await open(1)];
  const protocol = await pages[0].evaluate(() => performance.getEntriesByType('navigation')[0].nextHopProtocol);
  // Over HTTP/1.1 a tab beyond the connection limit would not even load, so tabs are opened one by one.
  const isMultiplexed = protocol === 'h2';
  if (isMultiplexed) pages.push(...await Promise.all([2, 3, 4, 5, 6, 7, 8, 9, 10].map(open)));
  for (let failures = 0;;) {
    assert.ok(await parkedBecomes(server, others + pages.length), `the polls of ${pages.length} tabs did not arrive`);
    const last = pages.at(-1);
    const before = await polling(pages);
    const work = (await Promise.all((isMultiplexed ? pages : [last]).map(answered))).every(Boolean);
    // Over HTTP/1.1 the request may have used the connection of a poll that ended meanwhile: try again. (Whether polls are parked is not
    // enough: those figures are up to a second old.)
    if (work && !isMultiplexed && await polling(pages) !== before) continue;
    // One may just be slow on a busy machine. Longer patience would not do: of six polls of 25 s, one ends every few seconds.
    failures = work ? 0 : failures + 1;
    if (failures > 0 && failures < 3) continue;
    if (!work || pages.length === 10) {
      // The page shows the reason.
      await last.getByTestId('crowd').waitFor({ state: work ? 'hidden' : 'visible' });
      await context.close();
      return work ? 10 : pages.length - 1;
    }
    pages.push(await open(pages.length + 1));
  }
}
