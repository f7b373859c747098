import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { heard, launch, say, state, videoRuns } from './support/browser.js';
import { eventually } from './support/eventually.js';
import { Hostile, sitBetween } from './support/hostile.js';
import { inMemory } from './support/memory.js';
import { lacking, newKey, safetyNumber, sealedLink, visitLink } from './support/sealed.js';
import { Server } from './support/server.js';
import { RoomKey } from '../../web/client/sealed/room-key.js';
import { Seals } from '../../web/client/sealed/seals.js';

// What a server that is not to be trusted can do in a room, and cannot do in a sealed one (docs/sealed.md).

const [ANN, BEN] = ['Annabelle Quetzalcoatl', 'Benedikt Zwingenberger'];

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

const close = (...pages) => Promise.all(pages.map((page) => page.context().close()));

async function couple(link, ...states) {
  const ann = await visitLink(browser, link, { name: ANN, media: 'both' });
  await state(ann, 'waiting');
  const ben = await visitLink(browser, link, { name: BEN, media: 'both' });
  await Promise.all([ann, ben].map((page) => state(page, ...states)));
  return { ann, ben };
}

/** A hostile server in front of a real one, and a page that sits between its users. */
async function hostile() {
  const server = await Server.start();
  const proxy = await Hostile.start(server.base);
  const page = await browser.newPage();
  const middle = await sitBetween(page);
  const stop = async () => {
    await page.close();
    proxy.stop();
    await server.stop();
  };
  return { server, proxy, middle, stop };
}

/** The addresses of a page's candidates, as they are in descriptions. */
const addresses = (page) => page.evaluate(async () => {
  const [{ pc }] = window.signalpost.call.links.values();
  while (pc.iceGatheringState !== 'complete') await new Promise((resolve) => { pc.addEventListener('icegatheringstatechange', resolve, { once: true }); });
  return [...pc.localDescription.sdp.matchAll(/^a=candidate:\S+ \d+ \w+ \d+ (\S+ \d+ typ \w+)/gm)].map(([, address]) => address);
});

/** All that must stay between two people: their names, addresses, and the fingerprints of their certificates. */
async function secrets(...pages) {
  const found = await Promise.all(pages.map(addresses));
  assert.ok(found.every((some) => some.length > 0), 'no candidates, so this shows nothing');
  return [ANN, BEN, ...found.flat()];
}

test('a room that is not sealed connects through somebody in between, and the safety numbers tell', async () => {
  const { proxy, middle, stop } = await hostile();
  proxy.tamper = middle.tamper;
  const { ann, ben } = await couple(`${proxy.base}/?room=open`, 'connected');
  await Promise.all([videoRuns(ann), videoRuns(ben)]);
  await say(ann, 'just between us');
  await heard(ben, 'just between us');
  assert.ok((await middle.overheard()).texts.includes('just between us'), 'nobody is in between, so this shows nothing');
  const numbers = await Promise.all([safetyNumber(ann), safetyNumber(ben)]);
  assert.notEqual(numbers[0], numbers[1]);
  for (const [page, number] of [[ann, numbers[0]], [ben, numbers[1]]]) {
    await page.getByTestId('diagnostics').locator('summary').first().click();
    await page.getByTestId('safety-number').filter({ hasText: number }).waitFor();
    await page.getByTestId('safety-note').filter({ hasText: 'if it is the same at both ends, nobody is in between' }).waitFor();
    assert.equal(await page.getByTestId('lock').isHidden(), true);
  }
  await close(ann, ben);
  await stop();
});

test('without anybody in between the numbers are the same', async () => {
  const { proxy, stop } = await hostile();
  const { ann, ben } = await couple(`${proxy.base}/?room=open`, 'connected');
  assert.equal(await safetyNumber(ann), await safetyNumber(ben));
  for (const secret of await secrets(ann, ben)) await eventually(() => proxy.carried.includes(secret), `${secret} is carried`);
  await close(ann, ben);
  await stop();
});

test('a sealed call goes through a server that reads everything, and has told it no address and no name', async () => {
  const { proxy, stop } = await hostile();
  const key = newKey();
  const { ann, ben } = await couple(sealedLink(proxy.base, 'sealed', key), 'connected');
  await Promise.all([videoRuns(ann), videoRuns(ben)]);
  // The state of devices is told through the server as well.
  await ann.getByTestId('mute').click();
  await ben.locator('[data-testid=remote-tile][data-microphone=off]').waitFor();
  assert.equal(await safetyNumber(ann), await safetyNumber(ben));
  for (const secret of [...await secrets(ann, ben), key, 'fingerprint', 'candidate:', 'microphone']) {
    assert.ok(!proxy.carried.includes(secret), `${secret} was carried`);
  }
  await close(ann, ben);
  await stop();
});

/** What somebody in between can put in the place of a sealed description. */
const FORGERIES = {
  'of its own': { says: /does not have this room’s key/, forge: ({ middle }) => middle.tamper },
  'sealed with a key of its own': {
    says: /has a different key/,
    forge: ({ middle, room }) => {
      const seals = new Seals(RoomKey.of(newKey()), room);
      return async (message, to) => {
        const own = await middle.tamper(message, to);
        return own && { ...message, ...(await seals.seal(message.from, to, { type: own.type, sdp: own.sdp })) };
      };
    },
  },
  'with one character changed': {
    says: /has a different key/,
    forge: () => (message) => (message.sdp ? { ...message, sdp: message.sdp.replace(/.$/, (last) => (last === 'A' ? 'E' : 'A')) } : message),
  },
};

for (const [name, { says, forge }] of Object.entries(FORGERIES)) {
  test(`in a sealed room nothing connects by descriptions ${name}, and both pages say why`, async () => {
    const { proxy, middle, stop } = await hostile();
    const room = 'forged';
    proxy.tamper = forge({ middle, room });
    const link = sealedLink(proxy.base, room);
    const { ann, ben } = await couple(link, 'waiting', 'joining', 'connecting', 'connected');
    const told = [await lacking(ann, says), await lacking(ben, says)];
    // Names of people with the key are known: only what they say now is not theirs.
    assert.ok(told[0].includes(BEN) && told[1].includes(ANN), told.join('\n'));
    for (const page of [ann, ben]) {
      const refused = page.getByTestId('refused').filter({ hasText: /not used: (not sealed|cannot be opened)/ });
      await page.waitForFunction(() => document.querySelectorAll('[data-testid=refused]:not(:empty)').length >= 2, null, { timeout: 120_000 });
      assert.ok(await refused.count() >= 2);
      const states = await page.evaluate(() => [...window.signalpost.call.links.values()].map(({ verified, pc }) => [verified, pc?.connectionState]));
      for (const [verified, connection] of states) assert.ok(verified === false && connection !== 'connected', String([verified, connection]));
      assert.notEqual(await page.evaluate(() => document.body.dataset.state), 'connected');
    }
    assert.ok(!(await middle.overheard()).states.includes('connected'));
    await close(ann, ben);
    await stop();
  });
}

test('the memory of the server holds names and addresses of a call that is not sealed, and none of a sealed one', async () => {
  for (const [link, wanted] of [[(base) => `${base}/?room=keepsake-of-the-server`, true], [(base) => sealedLink(base, 'keepsake-of-the-server'), false]]) {
    const server = await Server.start();
    const { ann, ben } = await couple(link(server.base), 'connected');
    const all = await secrets(ann, ben);
    const during = inMemory(server.child.pid, all);
    await Promise.all([ann, ben].map((page) => page.getByTestId('hang-up').click()));
    await Promise.all([state(ann, 'lobby'), state(ben, 'lobby')]);
    const afterwards = inMemory(server.child.pid, all);
    if (!wanted) assert.deepEqual([during, afterwards], [[], []]);
    for (const found of wanted ? [during, afterwards] : []) {
      assert.ok(found.includes(ANN) && found.includes(BEN), `names: ${found}`);
      assert.ok(found.some((one) => one.includes(' typ ')), `addresses: ${found}`);
    }
    // The process was readable: the room's name is there in any case.
    assert.deepEqual(inMemory(server.child.pid, ['keepsake-of-the-server']), ['keepsake-of-the-server']);
    await close(ann, ben);
    await server.stop();
  }
});
