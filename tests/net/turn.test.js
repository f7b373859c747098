import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { Network } from './support/network.js';
import { RELAY, SECRET, SERVER, discard, prepared, startRelay, startServer } from './support/services.js';

const TTL_S = 3600;
const FULL = /486 \(Allocation Quota Reached\)/;

let network, relay, ca;
before(async () => {
  network = await Network.make();
  [relay, { ca }] = await Promise.all([startRelay(network.hosts), prepared()]);
});
after(async () => {
  await network.remove();
  await discard();
});

/** The TURN credentials that a new peer gets from a server started with these options. */
async function credentials(options) {
  const { ann, server } = network.hosts;
  const running = await startServer(network.hosts, ['TURN/UDP'], options);
  const answer = await ann.sh(`curl -sS --max-time 15 --cacert ${ca} https://${SERVER}/v1/rooms/tea/peers -H 'content-type: application/json' -d '{}'`);
  await server.end(running);
  const [{ username, credential }] = JSON.parse(answer).ice_servers;
  return { username, credential };
}

/** Credentials from a server whose clock is off by this many seconds. */
const skewed = (seconds) => credentials({
  env: { LD_PRELOAD: '/usr/$LIB/faketime/libfaketime.so.1', FAKETIME: `${seconds > 0 ? '+' : ''}${seconds}s`, FAKETIME_DONT_FAKE_MONOTONIC: '1' },
});

/**
 * Runs coturn's own client; resolves with its exit code and output. It sends one message: over TLS it misses the second of two that
 * arrive together.
 */
function client({ username, credential }, ...options) {
  return network.hosts.ann.run(['turnutils_uclient', '-c', '-n', '1', '-m', '1', '-u', username, '-w', credential, ...options, RELAY], 30);
}

/** Two clients send each other a message, each through its own relay. */
async function relays(given, ...options) {
  const { code, text } = await client(given, '-y', ...options);
  assert.equal(code, 0, text);
  assert.match(text, /tot_send_msgs=2, tot_recv_msgs=2\n/);
}

async function refused(given) {
  const { code, text } = await client(given, '-y');
  assert.equal(code, 255, text);
  assert.match(text, /Cannot complete Allocation/);
}

test('what Signalpost hands out relays over UDP, TCP and TLS', async () => {
  const given = await credentials();
  await Promise.all([relays(given), relays(given, '-t'), relays(given, '-t', '-S', '-p', '443', '-E', ca)]);
});

test('with another secret than the relay’s it is refused', async () => {
  await refused(await credentials({ flags: ['--turn-secret', 'another one'] }));
});

test('a server’s clock may be behind the relay’s by less than the lifetime, or ahead', async () => {
  const [late, early] = [await skewed(60 - TTL_S), await skewed(2 * TTL_S)];
  await Promise.all([relays(late), relays(early)]);
});

test('credentials that have expired are refused, and so are fresh ones of a server whose clock is too far behind', async () => {
  await refused(await skewed(-60 - TTL_S));
});

test('nothing is relayed into the relay’s own network, or any other that is not public', async () => {
  const given = await credentials();
  for (const peer of ['127.0.0.1', '10.1.0.2', '172.16.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0', '224.0.0.1']) {
    const { code, text } = await client(given, '-e', peer);
    assert.equal(code, 255, `${peer}: ${text}`);
    assert.match(text, /403 \(Forbidden IP\)/, peer);
  }
});

test('one peer cannot take all of the relay, also with credentials of different times', async () => {
  const [given, later] = [await credentials(), await credentials()];
  const peer = given.username.split(':')[1];
  assert.notEqual(later.username.split(':')[1], peer, 'two peers have the same user name');
  const { ann } = network.hosts;
  const secret = (await readFile(SECRET, 'utf8')).trim();
  // The client creates its own credentials here, with a different expiry than `given`.
  const greedy = ann.start(['stdbuf', '-oL', 'turnutils_uclient', '-c', '-y', '-n', '1000', '-m', '50', '-u', peer, '-W', secret, RELAY], { stdout: 'pipe' });
  const [first] = await once(greedy.stdout, 'data');
  assert.match(String(first), FULL);
  const { code, text } = await client(given, '-y');
  assert.equal(code, 255, text);
  assert.match(text, FULL);
  await relays(later);
  await ann.end(greedy);
});

test('no older TLS than 1.2', async () => {
  const { ann } = network.hosts;
  const version = (option) => ann.run(['sh', '-c', `openssl s_client ${option} -cipher DEFAULT@SECLEVEL=0 -CAfile ${ca} -connect ${RELAY}:443 < /dev/null`], 5);
  assert.match((await version('-tls1_2')).text, /Verify return code: 0 \(ok\)/);
  for (const option of ['-tls1', '-tls1_1']) assert.match((await version(option)).text, /Cipher is \(NONE\)/);
});

test('the relay’s log has no secret and no password in it', async () => {
  const given = await credentials();
  await relays(given);
  await refused({ ...given, credential: 'wrong' });
  assert.match(relay.log, /Cannot find credentials of user|check_stun_auth/, 'nothing is logged at all');
  for (const word of [(await readFile(SECRET, 'utf8')).trim(), given.credential]) assert.ok(!relay.log.includes(word));
});
