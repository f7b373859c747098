import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { freePort } from './free-port.js';
import { glance } from './glance.js';

const run = promisify(execFile);
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };

/** Resolves when a process listens on the port. */
export async function listening(port) {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const connected = await once(socket, 'connect').then(() => true, () => false);
    socket.destroy();
    if (connected) return;
    await glance();
  }
}

/**
 * A certificate for `localhost` in a folder of a proxy or a server: `cert.pem`, `key.pem`, and both as `combined.pem`.
 *
 * @param {{ cert: string, key: string }} [issued] files to copy, if it is not to be made here
 */
export async function certify(folder, issued) {
  const [cert, key] = ['cert.pem', 'key.pem'].map((name) => join(folder, name));
  if (issued) await Promise.all([copyFile(issued.cert, cert), copyFile(issued.key, key)]);
  else await selfSign(cert, key);
  const both = await Promise.all([cert, key].map((path) => readFile(path, 'utf8')));
  await writeFile(join(folder, 'combined.pem'), both.join(''));
  return { cert: both[0], key: both[1] };
}

async function selfSign(cert, key) {
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:TRUE'];
  await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', ...names, '-keyout', key, '-out', cert]);
}

/**
 * How to start a proxy in front of `upstream` (`host:port`) on `port`, with a `folder` to itself.
 *
 * @typedef {{ upstream: string, port: number, folder: string }} At
 * @typedef {object} Recipe
 * @property {(at: At) => string} config
 * @property {(path: string, at: At) => string[]} command
 * @property {(at: At) => Promise<unknown>} [prepare]
 * @property {string} [scheme] of what it serves
 * @property {boolean} [forward] whether it is a forward proxy, configured in the browser, and not a reverse proxy
 */

/** A real proxy, on a free port. */
export class Proxy {
  /**
   * @param {Recipe} recipe
   * @param {string} upstream
   * @param {{ cert: string, key: string }} [issued] for https
   */
  static async start({ config, command, prepare, scheme = 'http', forward = false }, upstream, issued) {
    const folder = await mkdtemp(join(tmpdir(), 'signalpost-proxy-'));
    // Some proxies drop root before they read their files.
    await chmod(folder, 0o777);
    const at = { upstream, port: await freePort(), folder };
    if (scheme === 'https') await certify(folder, issued);
    await prepare?.(at);
    const path = join(folder, 'proxy.conf');
    await writeFile(path, config(at));
    const [program, ...args] = command(path, at);
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env });
    // Terminated, not killed, even after a failed test: some leave workers behind when killed.
    process.once('exit', () => child.kill('SIGTERM'));
    let complaints = '';
    child.stderr.on('data', (text) => { complaints += text; });
    const gone = once(child, 'exit').then(([code]) => { throw new Error(`${program} ended with ${code}: ${complaints}`); });
    await Promise.race([listening(at.port), gone]);
    gone.catch(() => {});
    const base = forward ? null : `${scheme}://localhost:${at.port}`;
    return Object.assign(new Proxy(), { child, folder, port: at.port, base, isIssued: scheme === 'https' && issued !== undefined });
  }

  async stop() {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill('SIGTERM');
      await ended;
    }
    await rm(this.folder, { recursive: true });
  }
}
