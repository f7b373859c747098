import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

import { authority } from './authority.js';

const run = promisify(execFile);
const ROOT = new URL('../../../', import.meta.url).pathname;
const BINARY = process.env.SIGNALPOST_BIN ?? `${ROOT}target/release/signalpost`;

export const SERVER = '203.0.113.10';
export const RELAY = '203.0.113.20';
/** By what a network lets out. */
export const PROXIES = {
  'only an HTTP proxy': 'http://203.0.113.30:3128',
  'only a proxy that insists on TLS': 'http://203.0.113.30:3129',
};
export const SECRET = '/etc/signalpost/turn-secret';

/** Server options by kind of ICE server. */
const OPTIONS = {
  // On without any option.
  'its own relay': [],
  'its own STUN': ['--stun-listen', `${SERVER}:3478`],
  STUN: ['--stun-url', `stun:${RELAY}:3478`],
  'TURN/UDP': ['--turn-url', `turn:${RELAY}:3478?transport=udp`],
  'TURN/TCP': ['--turn-url', `turn:${RELAY}:3478?transport=tcp`],
  'TURN/TLS': ['--turn-url', `turns:${RELAY}:443?transport=tcp`],
};

/** Whether any of these needs coturn. */
export const needsRelay = (told) => told.some((kind) => !kind.startsWith('its own'));

/** The commands in docs/ice.md between two marks, unchanged. */
async function documented(mark) {
  const page = await readFile(`${ROOT}docs/ice.md`, 'utf8');
  return page.split(`<!-- ${mark} -->`)[1].match(/```sh\n([^]*?)```/)[1].trim();
}

let authorities;

/** Made once for all networks: certificates, and the relay's configuration, created as docs/ice.md describes. */
export function prepared() {
  authorities ??= (async () => {
    const made = await authority([SERVER, RELAY].map((address) => `IP:${address}`));
    await run('bash', ['-euc', await documented('relay')], { cwd: ROOT });
    await cp(made.cert, '/etc/signalpost/cert.pem');
    await cp(made.key, '/etc/signalpost/key.pem');
    return made;
  })();
  return authorities;
}

export async function discard() {
  if (authorities) await rm((await authorities).folder, { recursive: true });
}

/** Starts coturn as docs/ice.md describes, and keeps its log. */
export async function startRelay({ relay }) {
  await prepared();
  const child = relay.start((await documented('start')).split(' '), { stdout: 'pipe' });
  child.log = '';
  child.stdout.on('data', (text) => { child.log += text; });
  await Promise.all([relay.listening(child, 3478), relay.listening(child, 443)]);
  return child;
}

/**
 * Starts the binary, which tells peers about these kinds of ICE servers.
 *
 * @param {(keyof OPTIONS)[]} told
 */
export async function startServer({ server }, told, { flags = [], env } = {}) {
  const { cert, key } = await prepared();
  const secret = told.some((kind) => kind.startsWith('TURN')) ? ['--turn-secret', `@${SECRET}`] : [];
  const relay = told.includes('its own relay') ? [] : ['--turn-relay', 'off'];
  const listen = ['--listen', `${SERVER}:443`, '--tls-cert', cert, '--tls-key', key, '--metrics-public'];
  const child = server.start([BINARY, ...listen, ...told.flatMap((kind) => OPTIONS[kind]), ...secret, ...relay, ...flags], { stdout: 'pipe', env: { SIGNALPOST_LOG: 'warn', ...env } });
  const gone = once(child, 'exit').then(() => { throw new Error(`${BINARY} ended: ${child.complaints}`); });
  await Promise.race([once(createInterface({ input: child.stdout }), 'line'), gone]);
  gone.catch(() => {});
  return child;
}

/** Starts a corporate proxy: it allows plain HTTP, and CONNECT to port 443 only. On port 3129 it looks whether that is TLS. */
export async function startProxy({ proxy }) {
  const { folder, cert, key } = await prepared();
  await writeFile(`${folder}/both.pem`, (await Promise.all([cert, key].map((path) => readFile(path)))).join('\n'));
  await writeFile(`${folder}/squid.conf`, `
http_port 203.0.113.30:3128
http_port 203.0.113.30:3129 ssl-bump generate-host-certificates=off tls-cert=${folder}/both.pem
acl hello at_step SslBump1
ssl_bump peek hello
ssl_bump splice all
acl CONNECT method CONNECT
acl tls port 443
http_access deny CONNECT !tls
http_access allow all
pid_filename ${folder}/squid.pid
cache_log ${folder}/squid-cache.log
access_log stdio:${folder}/squid-access.log
cache deny all
pinger_enable off
dns_nameservers 127.0.0.1
coredump_dir ${folder}
visible_hostname proxy
`);
  // Squid refuses to run as root, and this user namespace has no other user.
  const child = proxy.start(['unshare', '--user', '--map-user=1000', 'squid', '-N', '-n', 'signalpostnet', '-f', `${folder}/squid.conf`]);
  await proxy.listening(child, 3128);
  return child;
}
