import assert from 'node:assert/strict';
import { test } from 'node:test';

import { glance } from '../../e2e/support/glance.js';
import { Shell } from '../../e2e/support/shell.js';
import { encoder, noUpnp, whipClient, whipClientSink } from '../../e2e/support/whip.js';
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

/** Flags of the server. The open relay may send to these networks, which count as private. */
const FLAGS = {
  'without a relay': [],
  'without a relay; the server’s is open': ['--turn-relay', 'open', '--turn-external-ip', SERVER, '--turn-allow-peer', '203.0.113.0/24'],
  'with the relay in `Link`': [],
};

/** Starts an encoder. Resolves with the time of its `POST`, if that is known, when the page has its offer. */
const ENCODERS = {
  /** The stand-in for OBS, which offers no candidate. */
  OBS: async (t, at, { usesLinks, ca }) => {
    const env = ['env', `NODE_EXTRA_CA_CERTS=${ca}`, 'WHIP_BIND=10.2.0.2', ...(usesLinks ? ['WHIP_LINKS=1'] : [])];
    const obs = await encoder(t, `https://${SERVER}/v1/rooms/tea/whip?name=OBS`, '', (...command) => at.command(...env, ...command));
    if (usesLinks) {
      await obs.next('refused', { text: 'Error: 1 relays' });
      // The call that only asked for the relay.
      obs.forget();
    }
    await obs.next('try');
    const started = Date.now();
    await obs.next('answer', { status: 201 });
    return started;
  },
  'simple-whip-client': async (_, at, { ca, ann }) => called(at, ann, ca, whipClient(`https://${SERVER}`, 'tea'), await noUpnp()),
  /** Its plugin comes from tests/gstreamer.sh. */
  whipclientsink: async (_, at, { ca, ann }) => called(at, ann, ca, whipClientSink(`https://${SERVER}`, 'tea'), {}),
};

/** A program that is started once, and calls. It trusts the authorities of the system. */
async function called(at, ann, ca, command, env) {
  await at.sh(`cat ${ca} >> /etc/ssl/certs/ca-certificates.crt`);
  const program = new Shell(at.start(['sh', '-c', `exec ${command}`], { env, stdout: 'pipe' }));
  await program.whileItRuns(() => ann.page.getByTestId('remote-tile').waitFor({ timeout: PATIENCE_S * 1000 }));
}

/**
 * Tests what comes of the call of an encoder in Ben's network to Ann's page, with nothing but the binary.
 *
 * @param {string} network its name in docs/connectivity.md
 * @param {keyof ENCODERS} program
 * @param {keyof FLAGS} relay
 * @param {string} expected the path of the media
 * @param {object} options of the network
 */
export const call = (network, program, relay, expected, options) => test(`${program}, ${network}, ${relay}: ${expected}`, async (t) => {
  const [{ ca }, net] = await Promise.all([prepared(), Network.make(options)]);
  t.after(() => net.remove());
  const { ann: atAnn, ben: atBen } = net.hosts;
  const [ann] = await Promise.all([Caller.arrive(atAnn, 'Ann'), startServer(net.hosts, ['its own relay'], { flags: FLAGS[relay] })]);
  t.after(() => ann.leave());
  await ann.wait();
  const started = await ENCODERS[program](t, atBen, { usesLinks: relay.startsWith('with '), ca, ann });
  const seen = await ann.sees(expected === NEVER ? NEVER_S : PATIENCE_S);
  const path = seen && await pathOf(ann, expected);
  const media = path ? way(path) : NEVER;
  assert.equal(media, expected);
  const pair = path ? `${path.local} – ${path.remote} (${path.protocol})` : '–';
  const took = path && started ? `${((await ann.firstFrameAt() - started) / 1000).toFixed(1)} s` : '–';
  await recordEncoder([network, `${program}, ${relay}`, media, pair, took]);
});
