import { enter, idOf, state, visit } from '../support/browser.js';
import { SIZES } from './looks.js';

/** @import { Scene } from './scenes.js' */

const close = (page) => page.context().close();
const open = async ({ browser, server }, { prepare, path = '', ...options } = {}) => {
  const page = await (await browser.newContext({ viewport: SIZES.desktop, ...options })).newPage();
  if (prepare) await page.addInitScript(prepare);
  await page.goto(`${server.base}/${path}`);
  return page;
};

/** @type {Scene} The form. */
export async function* form(world) {
  const page = await open(world, { path: '?name=Ann' });
  await page.waitForSelector('body[data-loaded=true]');
  yield ['form', page];
  await page.getByTestId('preview-start').click();
  await page.getByTestId('preview-video').waitFor({ state: 'visible' });
  yield ['preview', page];
  await page.getByTestId('preview-camera-off').click();
  await page.getByTestId('room').fill('!!!');
  await page.getByTestId('join').click();
  await page.getByTestId('lobby-status').waitFor();
  yield ['wrong-name', page];
  await close(page);
}

/** In a page: the browser denies camera and microphone. */
function denied() {
  navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); };
  navigator.permissions.query = async () => Object.assign(new EventTarget(), { state: 'denied' });
}

/** @type {Scene} What browsers lack or forbid. */
export async function* lacking(world) {
  const blocked = await open(world, { prepare: denied, path: '?name=Ann&room=tea' });
  await blocked.getByTestId('preview-start').click();
  await blocked.getByTestId('preview-allow').waitFor();
  yield ['blocked-devices', blocked];
  await close(blocked);
  const bare = await open(world, { prepare: () => { delete window.RTCPeerConnection; }, path: '?name=Ann&room=tea' });
  await bare.getByTestId('lobby-status').waitFor();
  yield ['no-webrtc', bare];
  await close(bare);
  const plain = await open(world, { javaScriptEnabled: false });
  await plain.getByTestId('no-script').waitFor();
  yield ['no-script', plain];
  await close(plain);
}

/** @type {Scene} Rooms that do not let one in. */
export async function* refused({ browser, server, friends }) {
  const secret = '#secret=two+lumps';
  const ben = await visit(browser, server.base, { room: 'locked', name: 'Ben', media: 'none' });
  await friends.join('full', ['Cem', 'Dan'], { capacity: 2 });
  const ann = await visit(browser, server.base, { room: 'full', name: 'Ann', media: 'none', viewport: SIZES.desktop });
  await state(ann, 'full');
  yield ['full', ann];
  await ann.goto('about:blank');
  await enter(ann, `${server.base}/?room=locked&name=Ann&media=none${secret}`);
  await ann.getByTestId('lobby-status').waitFor();
  yield ['secret', ann];
  await close(ann);
  await close(ben);
}

/** Opens a room by hand, and is its host. */
async function host({ base }, room) {
  const body = JSON.stringify({ name: 'Ben' });
  const joined = await (await fetch(`${base}/v1/rooms/${room}/peers`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })).json();
  return (path) => fetch(`${base}/v1/rooms/${room}${path}`, { method: 'DELETE', headers: { Authorization: `Bearer ${joined.room_token}` } });
}

/** @type {Scene} How calls end. */
export async function* ends({ browser, server }) {
  const at = (room) => visit(browser, server.base, { room, name: 'Ann', media: 'none', viewport: SIZES.desktop });
  for (const ending of ['kicked', 'closed']) {
    const end = await host(server, ending);
    const ann = await at(ending);
    await state(ann, 'connecting');
    await end(ending === 'closed' ? '' : `/peers/${await idOf(ann)}`);
    await state(ann, ending);
    yield [ending, ann];
    await close(ann);
  }
  const ann = await at('twice');
  await state(ann, 'waiting');
  const kept = await ann.evaluate(() => JSON.stringify({ ...sessionStorage }));
  const twin = await ann.context().newPage();
  await twin.addInitScript((copy) => Object.assign(sessionStorage, JSON.parse(copy)), kept);
  await enter(twin, ann.url());
  await state(ann, 'superseded');
  yield ['superseded', ann];
  await close(ann);
}

/** @type {Scene} The network test. */
export async function* networkTest(world) {
  const page = await open(world, { path: 'network-test' });
  await page.waitForSelector('body[data-loaded=true]');
  yield ['network-ready', page];
  await page.getByTestId('start').click();
  await page.locator('[data-test=signaling][data-grade=good]').waitFor();
  await state(page, 'done');
  await page.locator('summary').click();
  yield ['network-done', page];
  await close(page);
}
