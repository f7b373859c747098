import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { accessible } from './support/axe.js';
import { canChat, heard, launch, say, state, visit } from './support/browser.js';
import { Server } from './support/server.js';

// Regression: 3,000 messages kept the receiving page busy for 5.8 s, because each caused a layout and all were kept.

const MESSAGES = 3_000;
const KEPT = 500;

let server, browser, ann, ben;
before(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  [ann, ben] = [await visit(browser, server.base, { room: 'flood', name: 'Ann', media: 'none' }), await visit(browser, server.base, { room: 'flood', name: 'Ben', media: 'none' })];
  await Promise.all([canChat(ann), canChat(ben)]);
});
after(async () => { await browser.close(); await server.stop(); });

const entries = (page) => page.getByTestId('chat-entry');

test('of a flood the last messages are kept, in order, and the page stays responsive', async () => {
  await ben.evaluate((messages) => {
    for (let number = 1; number <= messages; number += 1) window.signalpost.call.say(`flood ${number} of ${messages}`);
  }, MESSAGES);
  await heard(ann, `flood ${MESSAGES} of`);
  const texts = await entries(ann).locator('.text').allTextContents();
  assert.ok(texts.length <= KEPT, `${texts.length} entries`);
  const expected = Array.from({ length: texts.length }, (_, at) => `flood ${MESSAGES - texts.length + 1 + at} of ${MESSAGES}`);
  assert.deepEqual(texts, expected);
  assert.match(await ann.getByTestId('chat-log').locator('li').first().textContent(), /Only the last 500 messages are kept/);
  const end = await ann.getByTestId('chat-log').evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight);
  assert.ok(end <= 8, `the newest is ${end} px below`);
  // Nor when a phone is turned.
  for (const size of [{ width: 390, height: 844 }, { width: 844, height: 390 }]) {
    await ann.setViewportSize(size);
    await ann.waitForFunction(() => {
      const log = document.querySelector('[data-testid=chat-log]');
      return log.scrollHeight - log.scrollTop - log.clientHeight <= 8;
    });
  }
  await say(ann, 'still here');
  await heard(ben, 'still here');
});

test('many messages that come together are shown together, with one layout', async () => {
  const session = await ann.context().newCDPSession(ann);
  await session.send('Performance.enable');
  const count = async (name) => (await session.send('Performance.getMetrics')).metrics.find((metric) => metric.name === name).value;
  const before = await count('LayoutCount');
  // In one task, as the browser delivers queued messages, so the number of frames meanwhile means nothing.
  const shown = await ann.evaluate(async (messages) => {
    const batches = [];
    new MutationObserver((records) => batches.push(records.length)).observe(document.querySelector('#chat-log'), { childList: true });
    const [{ channel }] = window.signalpost.call.links.values();
    for (let number = 0; number < messages; number += 1) channel.dispatchEvent(new MessageEvent('message', { data: `burst ${number}` }));
    for (const started = performance.now(); batches.length === 0 && performance.now() - started < 60_000;) await new Promise((resolve) => setTimeout(resolve));
    // Would there be more of them?
    await Promise.race([new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))), new Promise((resolve) => setTimeout(resolve, 1_000))]);
    return batches;
  }, MESSAGES);
  const layouts = await count('LayoutCount') - before;
  assert.equal(shown.length, 1, `shown in ${shown.length} parts`);
  assert.ok(layouts < 20, `${layouts} layouts`);
  await heard(ann, `burst ${MESSAGES - 1}`);
});

test('a new message does not scroll a user who reads older ones', async () => {
  const log = ann.getByTestId('chat-log');
  await log.evaluate((element) => { element.scrollTop = 0; });
  await say(ben, 'news below');
  await heard(ann, 'news below');
  const top = await log.evaluate((element) => element.scrollTop);
  assert.ok(top < 200, `moved to ${top} px`);
});

test('text that comes as bytes is shown, and one that could not be sent is said to be, and stays to be sent', async () => {
  await ben.evaluate(() => {
    const [{ channel }] = window.signalpost.call.links.values();
    for (const measured of [[0, 1, 2, 3], [0xff, 0xfe]]) channel.send(new Uint8Array(measured));
    channel.send(new TextEncoder().encode('in bytes: 会議'));
  });
  await heard(ann, 'in bytes: 会議');
  assert.match(await entries(ann).nth(-2).textContent(), /news below/, 'measurements are not');
  await ann.evaluate(() => {
    const [{ channel }] = window.signalpost.call.links.values();
    channel.send = () => { throw new TypeError('longer than a=max-message-size'); };
  });
  await say(ann, 'too long');
  await heard(ann, 'The message was not sent');
  assert.equal(await ann.getByTestId('chat-input').inputValue(), 'too long');
  await ann.evaluate(() => {
    const [{ channel }] = window.signalpost.call.links.values();
    delete channel.send;
  });
  await ann.getByTestId('chat-send').click();
  await heard(ben, 'too long');
});

test('links can be followed, what was said outlasts a reload, and hidden pages count', async () => {
  await say(ben, 'see https://example.org/tea, javascript:alert(1)');
  await heard(ann, 'see https');
  const link = entries(ann).last().locator('a');
  assert.deepEqual(await link.evaluate(({ href, target, rel, textContent }) => [href, target, rel, textContent]), ['https://example.org/tea', '_blank', 'noopener noreferrer', 'https://example.org/tea']);
  await accessible(ann);
  await ann.reload();
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await heard(ann, 'see https');
  await say(ann, 'I am back');
  await heard(ben, 'I am back');
  await ann.evaluate(() => {
    window.sounds = 0;
    window.OscillatorNode = class extends OscillatorNode { constructor(...all) { super(...all); window.sounds += 1; } };
    Object.defineProperty(document, 'hidden', { value: true, configurable: true });
  });
  await say(ben, 'are you there?');
  await ann.waitForFunction(() => document.title.startsWith('(1) Connected to '));
  assert.equal(await ann.evaluate(() => window.sounds), 1);
  await ann.evaluate(() => {
    delete document.hidden;
    document.dispatchEvent(new Event('visibilitychange'));
  });
  assert.match(await ann.title(), /^Connected to /);
  await ann.getByTestId('settings').click();
  await ann.getByTestId('sounds').uncheck();
  await accessible(ann);
  await ann.getByTestId('settings-close').click();
  await ann.evaluate(() => Object.defineProperty(document, 'hidden', { value: true, configurable: true }));
  await say(ben, 'hello?');
  await ann.waitForFunction(() => document.title.startsWith('(1)'));
  assert.equal(await ann.evaluate(() => window.sounds), 1);
});

test('a message that is a book is cut', async () => {
  await ben.evaluate(() => window.signalpost.call.say(`book ${'x'.repeat(100_000)}`));
  await heard(ann, 'book x');
  const text = await entries(ann).locator('.text').last().textContent();
  assert.ok(text.length <= 8_001 && text.endsWith('…'), `${text.length} characters`);
});
