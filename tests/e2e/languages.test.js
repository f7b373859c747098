import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import arabic from '../../web/app/languages/ar.js';
import german from '../../web/app/languages/de.js';
import chinese from '../../web/app/languages/zh-CN.js';
import trouble from '../../web/app/languages/trouble/zh-CN.js';
import { accessible } from './support/axe.js';
import { launch, say, startTest, state, visit } from './support/browser.js';
import { Server } from './support/server.js';
import { drop } from './support/transfers.js';

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

/** A page at the form, in a browser of this language. */
async function lobby(locale, options = {}) {
  const context = await browser.newContext({ locale, ...options });
  const page = await context.newPage();
  const asked = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await page.goto(server.base);
  await page.waitForSelector('body[data-loaded=true]');
  return { context, page, asked };
}

/** A text with the names in it. Around each are the marks that isolate it. */
const filled = (message, values) => message.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const status = (page) => page.getByTestId('status').textContent();
const html = (page) => page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]);

for (const [locale, catalogue, dir] of [['zh-CN', chinese, 'ltr'], ['ar', arabic, 'rtl']]) {
  test(`${locale}: two people in a call read its state in their language`, async () => {
    const media = 'none';
    const ann = await visit(browser, server.base, { room: `lang-${locale}`, name: 'Ann', media, locale });
    await state(ann, 'waiting');
    assert.equal(await status(ann), catalogue.waiting);
    assert.deepEqual(await html(ann), [locale, dir]);
    const ben = await visit(browser, server.base, { room: `lang-${locale}`, name: 'Ben', media, locale });
    await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
    assert.equal(await status(ann), filled(catalogue.connected, { names: 'Ben' }));
    assert.equal(await status(ben), filled(catalogue.connected, { names: 'Ann' }));
    assert.equal((await ann.getByTestId('hang-up').textContent()).trim(), catalogue['hang-up']);
    await ann.getByTestId('chat-entry').filter({ hasText: filled(catalogue.joined, { name: 'Ben' }) }).waitFor();
    await accessible(ann);
    await ben.getByTestId('hang-up').click();
    await state(ann, 'waiting');
    assert.equal(await status(ann), filled(catalogue['waiting-after'], { news: filled(catalogue['hung-up'], { name: 'Ben' }) }));
    await Promise.all([ann, ben].map((page) => page.context().close()));
  });
}

test('an English page loads no catalogue but its own, and others only theirs', async () => {
  for (const [locale, wanted] of [['en-US', ['en.js']], ['de-AT', ['de.js', 'en.js']], ['pt-BR', ['en.js']]]) {
    const { context, asked } = await lobby(locale);
    const catalogues = asked.filter((path) => /\/languages\/(?:trouble\/)?[a-z]{2}(-[A-Z]{2})?\.js$/.test(path)).map((path) => path.split('/').at(-1));
    assert.deepEqual(catalogues.sort(), [...wanted, ...wanted].sort(), locale);
    await context.close();
  }
});

test('the picker changes the page without a reload, in the form and in the call, and is remembered', async () => {
  const { context, page } = await lobby('en-US');
  await page.evaluate(() => { window.same = true; });
  assert.equal(await page.getByTestId('join').textContent(), 'Join');
  await page.getByTestId('language').selectOption('ar');
  await page.waitForSelector('html[lang=ar][dir=rtl]');
  assert.equal(await page.getByTestId('join').textContent(), arabic.join);
  assert.equal(await page.getByTestId('chat-input').getAttribute('placeholder'), arabic['nobody-connected']);

  await page.getByTestId('name').fill('Ann');
  await page.getByTestId('media-none').check();
  await page.getByTestId('join').click();
  await state(page, 'waiting');
  assert.equal(await status(page), arabic.waiting);
  await page.getByTestId('settings').click();
  await page.getByTestId('settings-language').selectOption('de');
  await page.waitForSelector('html[lang=de][dir=ltr]');
  assert.equal(await status(page), german.waiting);
  assert.match(await page.title(), new RegExp(german.waiting));
  assert.equal((await page.getByTestId('hang-up').textContent()).trim(), german['hang-up']);
  assert.ok(await page.evaluate(() => window.same), 'the page was reloaded');

  const other = await context.newPage();
  await other.goto(server.base);
  await other.waitForSelector('html[lang=de]');
  assert.equal(await other.getByTestId('join').textContent(), german.join);
  assert.equal(await other.getByTestId('language').inputValue(), 'de');
  await context.close();
});

test('what was noted in the chat, and why the form is shown again, follow when the language changes', async () => {
  const ann = await visit(browser, server.base, { room: 'follow', name: 'Ann', media: 'none' });
  await state(ann, 'waiting');
  const ben = await visit(browser, server.base, { room: 'follow', name: 'Ben', media: 'none' });
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await say(ann, 'Tea?');
  await ann.getByTestId('chat-entry').filter({ hasText: 'Tea?' }).waitFor();
  const entries = async () => (await ann.getByTestId('chat-entry').allTextContents()).map((text) => text.trim());
  const joined = (catalogue) => filled(catalogue.joined, { name: 'Ben' });
  assert.deepEqual(await entries(), ['Ben joined', 'You Tea?']);
  const speak = async (tag) => {
    await ann.getByTestId('settings').click();
    await ann.getByTestId('settings-language').selectOption(tag);
    await ann.waitForSelector(`html[lang=${tag}]`);
    await ann.getByTestId('settings-close').click();
  };
  await speak('ar');
  assert.deepEqual(await entries(), [joined(arabic), `${arabic.you} Tea?`]);
  // The tab keeps what was noted, and not how.
  await ann.reload();
  await state(ann, 'connected');
  await ann.getByTestId('chat-entry').filter({ hasText: 'Tea?' }).waitFor();
  await speak('de');
  assert.deepEqual(await entries(), [joined(german), `${german.you} Tea?`]);

  await drop(ben, '#stage', ['tea.txt', 'tea']);
  const size = ann.getByTestId('file-question').locator('.count');
  for (const [tag, words] of [['ar', '3 بايت'], ['de', '3 Byte']]) {
    await speak(tag);
    assert.equal(await size.textContent(), words);
  }
  await ann.getByTestId('hang-up').click();
  await state(ann, 'lobby');
  await ann.getByTestId('room').fill('!!!');
  await ann.getByTestId('join').click();
  const status = ann.getByTestId('lobby-status');
  assert.equal(await status.textContent(), german['name-empty']);
  await ann.getByTestId('language').selectOption('zh-CN');
  await ann.waitForSelector('html[lang=zh-CN]');
  assert.equal(await status.textContent(), chinese['name-empty']);
  await Promise.all([ann, ben].map((page) => page.context().close()));
});

test('the network test has the picker, too: what it found follows, and its report', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await startTest(page, server.base);
  await page.locator('[data-test=signaling][data-grade=good]').waitFor();
  await page.getByTestId('stop').click();
  await page.getByTestId('language').selectOption('zh-CN');
  await page.waitForSelector('html[lang=zh-CN]');
  assert.equal(await page.getByTestId('verdict').textContent(), filled(trouble.sentence, { text: trouble.stopped }));
  const row = page.locator('[data-test=signaling]');
  assert.equal(await row.locator('[data-part=title]').textContent(), trouble['test-requests']);
  assert.match(await row.locator('[data-part=words]').textContent(), new RegExp(filled(trouble['test-responded'], { ms: '\\d+' })));
  const [head, , served, used] = (await page.getByTestId('report').textContent()).split('\n');
  assert.equal(head, filled(trouble['report-of'], { page: server.base }));
  assert.ok(served.startsWith(trouble['report-server'].split('{')[0]) && used.startsWith(trouble['report-browser'].split('{')[0]));
  // The other page of the same browser speaks it, too.
  await page.goto(server.base);
  await page.waitForSelector('html[lang=zh-CN]');
  await context.close();
});

test('zh-CN: the network test says what it does and finds', async () => {
  const context = await browser.newContext({ locale: 'zh-CN' });
  const page = await context.newPage();
  await startTest(page, server.base);
  await page.locator('[data-test=signaling][data-grade=good]').waitFor();
  assert.equal(await page.title(), trouble['network-title']);
  assert.equal(await page.locator('[data-test=signaling] [data-part=title]').textContent(), trouble['test-requests']);
  assert.equal(await page.locator('[data-test=signaling] [data-part=grade]').textContent(), trouble['grade-good']);
  await page.getByTestId('stop').click();
  assert.equal(await page.getByTestId('verdict').textContent(), filled(trouble.sentence, { text: trouble.stopped }));
  assert.equal(await page.getByTestId('again').textContent(), trouble['test-again']);
  await context.close();
});

test('without its catalogue the page speaks English', async () => {
  const context = await browser.newContext({ locale: 'fr' });
  const page = await context.newPage();
  await page.route('**/languages/fr.js', (route) => route.abort());
  await page.goto(server.base);
  await page.waitForSelector('body[data-loaded=true]');
  assert.equal(await page.getByTestId('join').textContent(), 'Join');
  assert.equal(await page.getByTestId('language').inputValue(), 'en');
  assert.ok(await page.getByTestId('not-loaded').isHidden());
  await context.close();
});

/** In a page: the elements with text that are out of the window, or wider than what contains them. */
function tooWide() {
  const shown = [...document.querySelectorAll('body *')].filter((element) => element.checkVisibility() && !element.closest('.unseen, svg, option'));
  const found = shown.filter((element) => {
    const { left, right } = element.getBoundingClientRect();
    return left < -0.5 || right > innerWidth + 0.5;
  }).map((element) => `outside: ${element.outerHTML.slice(0, 90)}`);
  for (const element of shown.filter((one) => one.parentElement && [...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()))) {
    const ellipsis = getComputedStyle(element).textOverflow === 'ellipsis';
    if (!ellipsis && element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== 'inline') found.push(`cut off: ${element.outerHTML.slice(0, 90)}`);
    if (element.getBoundingClientRect().width > element.parentElement.getBoundingClientRect().width + 0.5) found.push(`wider than its parent: ${element.outerHTML.slice(0, 90)}`);
  }
  if (document.documentElement.scrollWidth > innerWidth) found.push('the page scrolls sideways');
  return found;
}

for (const locale of ['ar', 'de']) {
  test(`${locale}: everything fits into a window of 320 pixels`, async () => {
    const { context, page } = await lobby(locale, { viewport: { width: 320, height: 640 } });
    assert.deepEqual(await page.evaluate(tooWide), [], 'the form');
    await page.getByTestId('join').evaluate((button) => { button.style.width = '400px'; });
    assert.notDeepEqual(await page.evaluate(tooWide), [], 'a fault is found');
    await context.close();

    const ann = await visit(browser, server.base, { room: `narrow-${locale}`, name: 'Ann', locale, viewport: { width: 320, height: 640 } });
    const ben = await visit(browser, server.base, { room: `narrow-${locale}`, name: 'Ben', locale, media: 'none' });
    await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
    await say(ben, 'short');
    await ann.getByTestId('chat-entry').filter({ hasText: 'short' }).waitFor();
    assert.deepEqual(await ann.evaluate(tooWide), [], 'the call');
    for (const [button, close] of [['settings', 'settings-close'], ['show-qr', 'qr-close']]) {
      await ann.getByTestId(button).click();
      assert.deepEqual(await ann.evaluate(tooWide), [], button);
      await ann.getByTestId(close).click();
    }
    await Promise.all([ann, ben].map((one) => one.context().close()));
  });
}
