import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';

import { startTest } from '../e2e/support/browser.js';
import { Meeting } from './support/meeting.js';
import { SERVER, discard } from './support/services.js';

const PAGE = new URL('../../docs/connectivity.md', import.meta.url);
/** Two of these answer STUN, which is enough to detect the kind of NAT. */
const told = ['its own STUN', 'TURN/UDP', 'TURN/TCP', 'TURN/TLS'];
/** Limits the hold of polls. Proxies that cut long polls are tested elsewhere. */
const flags = ['--wait-max-ms', '2000'];

after(discard);

/** The final results of the network test page. */
async function findings(page) {
  await startTest(page, `https://${SERVER}`);
  await page.waitForFunction(() => document.body.dataset.state === 'done', null, { timeout: 90_000 });
  const { tests, verdict } = await page.evaluate(() => window.signalpost.report);
  const figures = (kind) => tests.filter((line) => line.kind === kind).map(({ outcome }) => outcome.figures);
  const relays = figures('turn').filter((one) => one.relays).map(({ transport }) => transport);
  return { verdict, found: { nat: figures('nat')[0].mapping, stun: figures('stun')[0].answers, relays } };
}

const says = (network, options, expected) => test(`in a network with ${network}, /network-test says what works`, () =>
  Meeting.hold({ ...options, told, flags }, async ({ ann }) => {
    const { verdict: { grade, words }, found } = await findings(ann.page);
    console.log(`${network}: ${words}`);
    assert.deepEqual(found, expected);
    assert.equal(grade, 'good');
    assert.ok((await readFile(PAGE, 'utf8')).includes(`| ${network} | ${words} |`), 'docs/connectivity.md says otherwise');
  }));

says('a cone NAT', { nat: 'cone' }, { nat: 'same', stun: true, relays: ['UDP', 'TCP', 'TLS'] });
says('a symmetric NAT', { nat: 'symmetric' }, { nat: 'varies', stun: true, relays: ['UDP', 'TCP', 'TLS'] });
says('UDP blocked', { out: 'no UDP' }, { nat: null, stun: false, relays: ['TCP', 'TLS'] });
says('only an HTTP proxy', { out: 'only an HTTP proxy' }, { nat: null, stun: false, relays: ['TLS'] });
