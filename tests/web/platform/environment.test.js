import assert from 'node:assert/strict';
import { test } from 'node:test';

import { environment, pause } from '../../../web/client/platform/environment.js';
import { Emitter } from '../../../web/client/platform/emitter.js';
import { Gate } from '../../../web/client/wire/gate.js';
import { FakeClock, settled } from '../support/clock.js';

const world = () => ({ clock: new FakeClock(), page: new EventTarget() });
const online = ({ page }) => page.dispatchEvent(new Event('online'));
const abandoned = new AbortController().signal;

/** Whether a promise has settled, and how. */
async function outcome(promise) {
  const pending = new Promise((resolve) => setImmediate(() => setImmediate(() => resolve('pending'))));
  return Promise.race([promise.then(() => 'done', (reason) => `gave up: ${reason}`), pending]);
}

test('a pause lasts as long as was said', async () => {
  const env = world();
  const pausing = pause(env, 1_000, abandoned);
  await env.clock.advance(999);
  assert.equal(await outcome(pausing), 'pending');
  await env.clock.advance(1);
  assert.equal(await outcome(pausing), 'done');
});

test('only an eager pause ends when the browser is online again', async () => {
  const env = world();
  const [patient, eager] = [pause(env, 1_000), pause(env, 1_000, undefined, true)];
  online(env);
  assert.equal(await outcome(patient), 'pending');
  assert.equal(await outcome(eager), 'done');
  assert.equal(env.clock.pending, 1, 'and leaves no timer behind');
});

test('and when it is on another network, though it was never offline', async () => {
  // On desktops there is no `type`, and `change` may be about the speed: a pause that a server has asked for would end early.
  for (const [before, after, ended] of [['wifi', 'cellular', 'done'], ['wifi', 'wifi', 'pending'], [undefined, undefined, 'pending']]) {
    const connection = Object.assign(new EventTarget(), { type: before });
    const eager = pause({ ...world(), connection }, 1_000, undefined, true);
    connection.type = after;
    connection.dispatchEvent(new Event('change'));
    assert.equal(await outcome(eager), ended, `${before} and ${after}`);
  }
});

test('a pause can be given up, before and while it lasts', async () => {
  const controller = new AbortController();
  const pausing = pause(world(), 1_000, controller.signal);
  controller.abort('enough');
  assert.equal(await outcome(pausing), 'gave up: enough');
  assert.equal(await outcome(pause(world(), 1_000, controller.signal)), 'gave up: enough');
});

test('ids are random UUIDs, also without crypto.randomUUID', () => {
  const { uuid } = environment({});
  assert.match(uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(uuid(), uuid());
});

test('without a storage a seat is kept in memory', () => {
  const { storage } = environment({});
  storage.setItem('a', 'b');
  assert.equal(storage.getItem('a'), 'b');
  storage.removeItem('a');
  assert.equal(storage.getItem('a'), null);
});

test('what is given is used', () => {
  const given = { ...world(), fetch() {}, random() {}, uuid() {}, beacon() {}, storage: {}, RTCPeerConnection: class {} };
  assert.deepEqual(environment(given), given);
});

/** `navigator` of a browser that lacks some features. */
function withNavigator(t, navigator) {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
  t.after(() => (before ? Object.defineProperty(globalThis, 'navigator', before) : delete globalThis.navigator));
}

// Regression: leaving threw, and the seat stayed taken for the whole lease.
test('without a beacon, or when it refuses, leaving is a request that may outlive the page', (t) => {
  for (const navigator of [undefined, {}, { sendBeacon: () => false }]) {
    withNavigator(t, navigator);
    const sent = [];
    const { beacon } = environment({ fetch: async (url, init) => void sent.push([url, init.method, init.body, init.keepalive]) });
    assert.equal(beacon('/leave', 'token'), true);
    assert.deepEqual(sent, [['/leave', 'POST', 'token', true]]);
  }
});

test('a beacon that is taken needs no request', (t) => {
  const sent = [];
  withNavigator(t, { sendBeacon: (url, body) => sent.push([url, body]) > 0 });
  const { beacon } = environment({ fetch: async () => assert.fail('a request was sent') });
  beacon('/leave', 'token');
  assert.deepEqual(sent, [['/leave', 'token']]);
});

// Regression: Node.js has no `reportError`, so a listener that threw kept the event from the others.
test('a listener that throws is reported and keeps no other from the event, also without reportError', async () => {
  const [emitter, heard] = [new Emitter(), []];
  emitter.on('event', () => { throw new Error('of a listener'); });
  emitter.on('event', (detail) => heard.push(detail));
  const reported = new Promise((resolve) => process.setUncaughtExceptionCaptureCallback(resolve));
  emitter.emit('event', 1);
  assert.deepEqual(heard, [1]);
  assert.equal((await reported).message, 'of a listener');
  process.setUncaughtExceptionCaptureCallback(null);
});

test('a gate lets callers pass once it is opened', async () => {
  const gate = new Gate();
  const passing = gate.passed(abandoned);
  assert.equal(await outcome(passing), 'pending');
  gate.open();
  assert.equal(await outcome(passing), 'done');
  assert.equal(await outcome(gate.passed(abandoned)), 'done');
  gate.shut();
  assert.equal(await outcome(gate.passed(abandoned)), 'pending');
});

test('waiting at a gate can be given up', async () => {
  const gate = new Gate();
  const controller = new AbortController();
  const passing = gate.passed(controller.signal);
  controller.abort('enough');
  assert.equal(await outcome(passing), 'gave up: enough');
  assert.equal(await outcome(gate.passed(controller.signal)), 'gave up: enough');
  await settled();
});

test('a worker hears when the browser is online again', (t) => {
  assert.equal(environment({}).page, undefined);
  globalThis.WorkerGlobalScope = class {};
  t.after(() => delete globalThis.WorkerGlobalScope);
  assert.equal(environment({}).page, globalThis);
});

// Regression: the second of two clients that joined a room in one process resumed the first one's seat, and both were one peer.
test('two joins of a program that is no page remember each for itself', () => {
  const [one, other] = [environment({}), environment({})];
  one.storage.setItem('seat', 'one');
  assert.equal(one.storage.getItem('seat'), 'one');
  assert.equal(other.storage.getItem('seat'), null);
});
