import assert from 'node:assert/strict';
import { test } from 'node:test';

import { request } from '../../../web/client/wire/http.js';
import { Problem, Unreachable } from '../../../web/client/wire/problem.js';
import { World } from '../support/world.js';

const ASK = { method: 'GET', url: 'https://signal.example/x' };

async function asking(more = {}) {
  const world = new World();
  const answer = request(world.environment, { ...ASK, ...more });
  answer.catch(() => {});
  return { world, answer, asked: await world.asked('GET /x') };
}

test('an answer is its status and its JSON', async () => {
  const { world, answer, asked } = await asking({ expects: 'fine' });
  await asked.answer(201, { fine: true });
  assert.deepEqual(await answer, { status: 201, body: { fine: true }, date: null });
  assert.equal(world.clock.pending, 0);
});

test('a token, a key and a cursor go in headers', async () => {
  const { asked } = await asking({ token: 't', key: 'k', cursor: 0 });
  assert.deepEqual(asked.headers, {
    Accept: 'application/json',
    Authorization: 'Bearer t',
    'Idempotency-Key': 'k',
    'Last-Event-ID': '0',
  });
});

test('caching is left to the server: else Chromium asks for a preflight each time', async () => {
  assert.equal((await asking()).asked.init.cache, undefined);
});

test('a refusal carries what the server says', async () => {
  const { answer, asked } = await asking();
  await asked.refuse(409, 'room-full', { frees_in_ms: 12_000 }, { 'Retry-After': '12' });
  await assert.rejects(answer, (error) => {
    assert.ok(error instanceof Problem);
    assert.deepEqual([error.slug, error.status, error.retryAfterMs], ['room-full', 409, 12_000]);
    assert.equal(error.document.frees_in_ms, 12_000);
    assert.deepEqual([error.name, error.message], ['Problem', 'room-full']);
    return true;
  });
});

/** Each row: what arrives instead of the server's response, and how it is classified. */
const strangers = [
  ['a gateway that gives up', (asked) => asked.intercept(504), 'gateway'],
  ['a captive portal', (asked) => asked.intercept(200, '<html>Please log in</html>'), 'foreign'],
  ['a page for what is not there', (asked) => asked.intercept(404), 'foreign'],
  ['JSON of somebody else', (asked) => asked.answer(200, { status: 'ok' }), 'foreign'],
  ['a problem of somebody else', (asked) => asked.answer(502, { type: 'about:blank', status: 502 }), 'gateway'],
  ['half an answer', (asked) => asked.intercept(200, '{"messa', { 'Content-Type': 'application/json' }), 'foreign'],
  ['a connection that is cut', (asked) => asked.cut(), 'network'],
];

for (const [name, happen, reason] of strangers) {
  test(`${name} is no answer of the server`, async () => {
    const { answer, asked } = await asking({ expects: 'messages' });
    await happen(asked);
    await assert.rejects(answer, (error) => error instanceof Unreachable && error.reason === reason);
  });
}

test('a portal’s page is no answer either where the server has nothing to say', async () => {
  // The room was said to be locked, or closed, and was not.
  const { answer, asked } = await asking();
  await asked.intercept(200, '<html>Please log in</html>');
  await assert.rejects(answer, (error) => error instanceof Unreachable && error.reason === 'foreign');
  const said = await asking();
  await said.asked.intercept(204, null);
  assert.equal((await said.answer).status, 204);
});

const NOON = 'Sat, 28 Nov 2026 12:00:00 GMT';

/** Each row: `Retry-After`, `Date`, the resulting pause. */
const retries = [
  ['7', undefined, 7_000],
  ['0', undefined, 0],
  ['2592000', undefined, 2_592_000_000],
  ['Sat, 28 Nov 2026 12:00:09 GMT', NOON, 9_000],
  ['Saturday, 28-Nov-26 12:00:09 GMT', NOON, 9_000],
  // Without the server's `Date`, our own clock, which says 22:13:20.
  ['Tue, 14 Nov 2023 22:13:25 GMT', undefined, 5_000],
  ['Fri, 31 Dec 1999 23:59:59 GMT', undefined, null],
  [NOON, NOON, null],
  ...['', ' ', '-1', '+5', '1e9', '0x10', '7.5', '7, 9', '7s', 'soon', 'Infinity', 'NaN', 'Sat, 99 Nov 2026 99:00:00 GMT'].map((said) => [said, NOON, null]),
];
for (const [said, date, ms] of retries) {
  test(`Retry-After: ${said} is ${ms} ms`, async () => {
    const { answer, asked } = await asking();
    await asked.intercept(503, '', { 'Retry-After': said, ...(date && { Date: date }) });
    await assert.rejects(answer, { name: 'Unreachable', reason: 'gateway', status: 503, retryAfterMs: ms });
  });
}

test('a problem that does not say how long in numbers is as one that says nothing', async () => {
  for (const [said, ms] of [[700, 700], ['700', 4_000], [-1, 4_000], [null, 4_000], [[], 4_000]]) {
    const { answer, asked } = await asking();
    await asked.refuse(503, 'draining', { retry_after_ms: said }, { 'Retry-After': '4' });
    await assert.rejects(answer, { name: 'Problem', retryAfterMs: ms });
  }
});

test('an answer with nothing in it is an answer', async () => {
  const { answer, asked } = await asking();
  await asked.intercept(204, null);
  assert.deepEqual(await answer, { status: 204, body: undefined, date: null });
});

test('a proxy that finds a body too large has the last word', async () => {
  const { answer, asked } = await asking();
  await asked.intercept(413);
  await assert.rejects(answer, (error) => error instanceof Problem && error.slug === 'body-too-large');
});

test('silence ends after the time that was given', async () => {
  const { world, answer, asked } = await asking({ timeoutMs: 9_000 });
  await world.clock.advance(8_999);
  assert.equal(asked.aborted, false);
  await world.clock.advance(1);
  await assert.rejects(answer, (error) => error instanceof Unreachable && error.reason === 'timeout');
});

test('a caller who gives up gets its own reason back', async () => {
  const controller = new AbortController();
  const { answer, asked } = await asking({ signal: controller.signal });
  controller.abort('enough');
  await assert.rejects(answer, (error) => error === 'enough');
  assert.equal(asked.aborted, true);
});
