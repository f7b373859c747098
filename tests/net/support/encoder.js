import assert from 'node:assert/strict';
import { test } from 'node:test';

import { glance } from '../../e2e/support/glance.js';
import { encoder } from '../../e2e/support/whip.js';
import { Caller } from './caller.js';
import { NEVER_S, PATIENCE_S } from './meeting.js';
import { Network } from './network.js';
import { SERVER, prepared, startServer } from './services.js';
import { recordEncoder } from './table.js';

const NEVER = 'does not connect';

const way = ({ local, protocol }) => (local === 'relay' ? 'relayed' : 'through the NATs') + `, ${protocol}`;

/** Ann's selected pair: as soon as its path is the expected one, or the last one seen after some time. */
async function pathOf(ann, expected) {
  let path;
  for (const started = Date.now(); Date.now() - started < PATIENCE_S * 1000; await glance()) {
    path = await ann.path();
    if (path && way(path) === expected) break;
  }
  return path;
}

/** What the encoder does with the `Link` fields of the answer, and the relay. The open one may send to these networks, which count as private. */
const RELAYS = {
  'without a relay': { environment: [], flags: [] },
  'without a relay; the server’s is open': { environment: [], flags: ['--turn-relay', 'open', '--turn-external-ip', SERVER, '--turn-allow-peer', '203.0.113.0/24'] },
  'with the relay in `Link`': { environment: ['WHIP_LINKS=1'], flags: [] },
};

/**
 * Tests what comes of the call of an encoder in Ben's network to Ann's page, with nothing but the binary. The encoder is the stand-in for
 * OBS, and offers no candidate.
 *
 * @param {string} network its name in docs/connectivity.md
 * @param {keyof RELAYS} relay
 * @param {string} expected the path of the media
 * @param {object} options of the network
 */
export const call = (network, relay, expected, options) => test(`an encoder, ${network}, ${relay}: ${expected}`, async (t) => {
  const { environment, flags } = RELAYS[relay];
  const [{ ca }, net] = await Promise.all([prepared(), Network.make(options)]);
  t.after(() => net.remove());
  const { ann: atAnn, ben: atBen } = net.hosts;
  const [ann] = await Promise.all([Caller.arrive(atAnn, 'Ann'), startServer(net.hosts, ['its own relay'], { flags })]);
  t.after(() => ann.leave());
  await ann.wait();
  const env = ['env', `NODE_EXTRA_CA_CERTS=${ca}`, 'WHIP_BIND=10.2.0.2', ...environment];
  const obs = await encoder(t, `https://${SERVER}/v1/rooms/tea/whip?name=OBS`, '', (...command) => atBen.command(...env, ...command));
  if (environment.length > 0) {
    await obs.next('refused', { text: 'Error: 1 relays' });
    // The call that only asked for the relay.
    obs.forget();
  }
  await obs.next('try');
  const started = Date.now();
  await obs.next('answer', { status: 201 });
  const seen = await ann.sees(expected === NEVER ? NEVER_S : PATIENCE_S);
  const path = seen && await pathOf(ann, expected);
  const media = path ? way(path) : NEVER;
  assert.equal(media, expected);
  const shown = path ? [`${path.local} – ${path.remote} (${path.protocol})`, `${((await ann.firstFrameAt() - started) / 1000).toFixed(1)} s`] : ['–', '–'];
  await recordEncoder([network, relay, media, ...shown]);
});
