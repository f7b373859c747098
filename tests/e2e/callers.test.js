import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { accessible } from './support/axe.js';
import { idOf, launch, state, videoRuns, visit } from './support/browser.js';
import { Server } from './support/server.js';
import { Way } from './support/way.js';

// A stranger with `media=none` in an open room saw the waiting person at once, unasked.

let server, browser;
before(async () => { [server, browser] = await Promise.all([Server.start(), launch()]); });
after(async () => { await browser.close(); await server.stop(); });

const close = (...pages) => Promise.all(pages.map((page) => page.context().close()));
const caller = (page) => page.getByTestId('caller');
/** How much has been done to connect with anybody. */
const connections = () => window.signalpost.call.links.size + window.steps;
/** For `addInitScript`: counts what makes offers, candidates or media. */
function count() {
  window.steps = 0;
  for (const name of ['addTrack', 'createDataChannel', 'setLocalDescription']) {
    const own = RTCPeerConnection.prototype[name];
    RTCPeerConnection.prototype[name] = function counted(...values) { window.steps += 1; return own.apply(this, values); };
  }
}

/** Somebody who waits alone, and is asked about newcomers. */
const waiting = (room, more = {}) => visit(browser, server.base, { room, name: 'Ann', answers: false, prepare: count, ...more });

/** A peer that is no page: joins, offers, and reads what it gets. */
class Stranger {
  static async join(room, name, more = {}) {
    const way = new Way(server.base);
    const asked = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name, ...more }) };
    const { status, body } = await way.ask(`/v1/rooms/${room}/peers`, asked);
    assert.equal(status, 201, JSON.stringify(body));
    return Object.assign(new Stranger(), { way, room, ...body });
  }

  async offer() {
    const messages = this.peers.flatMap(({ id }) => [
      { to: id, type: 'offer', sdp: 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n' },
      { to: id, type: 'candidate', candidate: { candidate: 'candidate:1 1 udp 1 192.0.2.1 9 typ host', sdpMid: '0' } },
    ]);
    const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${this.token}` };
    const { status } = await this.way.ask(`/v1/rooms/${this.room}/messages`, { method: 'POST', headers, body: JSON.stringify({ messages }) });
    assert.equal(status, 202);
  }

  /** What has come, or comes within `wait` seconds. */
  async mail(wait) {
    const { body } = await this.way.ask(`/v1/rooms/${this.room}/peers/${this.peer.id}/messages?wait=${wait}&after=${this.cursor}`, { headers: { Authorization: `Bearer ${this.token}` } });
    return body.messages;
  }
}

test('a question about a caller is not covered by the files, and a key that is held already does not answer it', async () => {
  const ann = await waiting('covered');
  await state(ann, 'waiting');
  await ann.keyboard.down('Escape');
  await ann.getByTestId('files').click();
  await ann.getByTestId('files-dialog').waitFor();
  await Stranger.join('covered', 'Cleo');
  await caller(ann).waitFor();
  assert.equal(await ann.getByTestId('files-dialog').isVisible(), false);
  await ann.waitForFunction(() => document.activeElement.dataset.testid === 'caller');
  await ann.keyboard.down('Escape');
  assert.equal(await caller(ann).count(), 1);
  await ann.keyboard.up('Escape');
  await ann.keyboard.press('Escape');
  await caller(ann).waitFor({ state: 'detached' });
  await close(ann);
});

test('nothing is sent to a newcomer in an open room before the person waiting answers', async () => {
  const ann = await waiting('open');
  await state(ann, 'waiting');
  const cleo = await Stranger.join('open', '\u202eoelC\u2066');
  await cleo.offer();
  await caller(ann).waitFor();
  assert.equal(await ann.getByTestId('caller-name').textContent(), 'oelC is calling');
  assert.deepEqual(await ann.getByTestId('caller-name').locator('bdi').allTextContents(), ['oelC']);
  assert.equal(await ann.title(), '\u2068oelC\u2069 is calling · \u2068open\u2069');
  // Longer than the five seconds after which it would have offered by itself.
  assert.deepEqual(await cleo.mail(12), [], 'something was sent');
  assert.equal(await ann.evaluate(connections), 0);
  await ann.getByTestId('decline').click();
  await caller(ann).waitFor({ state: 'detached' });
  const mail = await cleo.mail(20);
  assert.deepEqual(mail.map(({ type, reason }) => [type, reason]), [['bye', 'declined']]);
  // Calling again in spite of that changes nothing.
  cleo.cursor = mail[0].seq;
  await cleo.offer();
  assert.deepEqual((await cleo.mail(20)).map(({ type }) => type), ['bye']);
  assert.deepEqual([await caller(ann).count(), await ann.evaluate(connections)], [0, 0]);
  await state(ann, 'waiting');
  await close(ann);
});

test('an answered call connects, and an admitted caller is not asked about again', async () => {
  const ann = await waiting('answer');
  await state(ann, 'waiting');
  const ben = await visit(browser, server.base, { room: 'answer', name: 'Ben' });
  await caller(ann).waitFor();
  await ben.getByTestId('status').filter({ hasText: 'Calling Ann…' }).waitFor();
  assert.equal(await ben.evaluate(() => document.querySelector('[data-testid=remote-video]:not([hidden])')), null);
  await ann.getByTestId('answer').click();
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await Promise.all([videoRuns(ann), videoRuns(ben)]);
  const id = await idOf(ben);
  for (const page of [ben, ann]) {
    await page.reload();
    await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
    await videoRuns(page, 1);
    assert.equal(await caller(ann).count(), 0, 'she was asked about him again');
  }
  assert.equal(await idOf(ben), id);
  // Hung up and joined again he is somebody new.
  await ben.getByTestId('hang-up').click();
  await state(ann, 'waiting');
  await ben.getByTestId('room').fill('answer');
  await ben.getByTestId('join').click();
  await caller(ann).waitFor();
  await close(ben);
  await caller(ann).waitFor({ state: 'detached' });
  await close(ann);
});

test('a declined caller is told so and gives up the seat, and the person waiting keeps waiting', async () => {
  const ann = await waiting('declined');
  await state(ann, 'waiting');
  const ben = await visit(browser, server.base, { room: 'declined', name: 'Ben', prepare: count });
  await caller(ann).waitFor();
  await ann.getByTestId('decline').click();
  await state(ben, 'error');
  assert.match(await ben.getByTestId('lobby-status').textContent(), /^Ann declined the call\.$/);
  assert.equal(await ben.evaluate(() => document.querySelector('#self-video').srcObject), null, 'his camera is still on');
  await ann.getByTestId('status').filter({ hasText: 'Ben left – waiting for somebody to join' }).waitFor();
  await state(ann, 'waiting');
  assert.equal((await new Way(server.base).ask('/v1/rooms/declined')).body.occupancy, 1);
  const cleo = await visit(browser, server.base, { room: 'declined', name: 'Cleo' });
  await ann.getByTestId('answer').click();
  await Promise.all([state(ann, 'connected'), state(cleo, 'connected')]);
  await close(ann, ben, cleo);
});

test('a call is answered by keyboard, and declined with Escape; somebody who is typing is not interrupted', async () => {
  const ann = await waiting('keys', { media: 'none' });
  await state(ann, 'waiting');
  const ben = await visit(browser, server.base, { room: 'keys', name: 'Ben', media: 'none' });
  await caller(ann).waitFor();
  const focused = () => ann.evaluate(() => document.activeElement.dataset.testid);
  assert.equal(await focused(), 'caller');
  const { role, name, note } = await ann.evaluate(() => {
    const card = document.activeElement;
    const text = (attribute) => document.getElementById(card.getAttribute(attribute)).textContent;
    return { role: card.getAttribute('role'), name: text('aria-labelledby'), note: text('aria-describedby') };
  });
  assert.deepEqual([role, name], ['alertdialog', 'Ben is calling']);
  assert.match(note, /neither see nor hear you/);
  // A key that is pressed at that moment does nothing.
  await ann.keyboard.press('Enter');
  assert.equal(await caller(ann).count(), 1);
  await ann.keyboard.press('Tab');
  assert.equal(await focused(), 'answer');
  await ann.keyboard.press('Enter');
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  assert.equal(await focused(), 'call-room');
  await close(ben);
  await state(ann, 'waiting');

  const cleo = await visit(browser, server.base, { room: 'keys', name: 'Cleo', media: 'none' });
  await caller(ann).waitFor();
  await ann.keyboard.press('Escape');
  await state(cleo, 'error');
  await close(ann, cleo);
});

test('with more seats each member is asked about each newcomer, and a chat line that is being typed stays one', async () => {
  const link = (name) => `${server.base}/?room=three&capacity=3&media=none&name=${name}`;
  const [ann, ben, cleo] = await Promise.all(['Ann', 'Ben', 'Cleo'].map(async () => (await browser.newContext()).newPage()));
  const join = async (page, name) => { await page.goto(link(name)); await page.getByTestId('join').click(); };
  await join(ann, 'Ann');
  await state(ann, 'waiting');
  await join(ben, 'Ben');
  await ann.getByTestId('answer').click();
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  await ann.getByTestId('chat-input').fill('I am typ');
  await ann.getByTestId('chat-input').focus();
  await join(cleo, 'Cleo');
  await Promise.all([caller(ann).waitFor(), caller(ben).waitFor()]);
  await ann.keyboard.type('ing ');
  assert.equal(await ann.getByTestId('chat-input').inputValue(), 'I am typing ');
  await ben.getByTestId('decline').click();
  await cleo.getByTestId('status').filter({ hasText: 'Calling Ann…' }).waitFor();
  await ann.getByTestId('answer').click();
  const linked = (page, count) => page.waitForFunction((wanted) => [...window.signalpost.call.links.values()].filter(({ state }) => state === 'connected').length === wanted, count);
  await Promise.all([linked(ann, 2), linked(ben, 1), linked(cleo, 1)]);
  await close(ann, ben, cleo);
});

test('in a room with a secret nobody is asked about', async () => {
  const [ann, ben] = await Promise.all(['Ann', 'Ben'].map(async () => (await browser.newContext()).newPage()));
  for (const [page, name] of [[ann, 'Ann'], [ben, 'Ben']]) {
    await page.goto(`${server.base}/?room=secret&name=${name}&media=none#secret=lumps-of-sugar`);
    await page.getByTestId('join').click();
    await state(page, 'waiting', 'connecting', 'connected');
  }
  await Promise.all([state(ann, 'connected'), state(ben, 'connected')]);
  assert.equal(await caller(ann).count() + await caller(ben).count(), 0);
  await close(ann, ben);
});

test('callers who came while the page was reloading or asleep are asked about, too', async () => {
  const ann = await waiting('asleep', { media: 'none' });
  await state(ann, 'waiting');
  await ann.route('**/peers', async (route) => {
    await Stranger.join('asleep', 'Cleo');
    await route.continue();
  }, { times: 1 });
  await ann.reload();
  await caller(ann).waitFor();
  assert.equal(await ann.evaluate(connections), 0);
  await close(ann);
});

test('the question fits a phone, in light and in dark, and closes the code that would cover it', async () => {
  for (const [colorScheme, width] of [['light', 360], ['dark', 360], ['light', 1280], ['dark', 1280]]) {
    const room = `question-${colorScheme}-${width}`;
    const ann = await waiting(room, { viewport: { width, height: 740 }, colorScheme, ...(width < 400 && { isMobile: true, hasTouch: true }) });
    await state(ann, 'waiting');
    await ann.getByTestId('show-qr').click();
    await Stranger.join(room, width < 400 ? `Maximiliane-${'x'.repeat(50)}` : 'Ben');
    await caller(ann).waitFor();
    assert.equal(await ann.getByTestId('qr-dialog').isVisible(), false);
    for (const part of ['caller', 'answer', 'decline']) {
      const { x, y, width: wide, height } = await ann.getByTestId(part).boundingBox();
      assert.ok(x >= 0 && y >= 0 && x + wide <= width + 0.5 && y + height <= 740, `${part} is cut off: ${[x, y, wide, height]}`);
    }
    const { height } = await ann.getByTestId('answer').boundingBox();
    assert.ok(height >= 44, `a button is only ${height} pixels high`);
    assert.equal(await ann.evaluate(() => document.documentElement.scrollWidth), width);
    await accessible(ann);
    if (process.env.SCREENSHOTS) await ann.screenshot({ path: `${process.env.SCREENSHOTS}/${room}.png` });
    await close(ann);
  }
});
