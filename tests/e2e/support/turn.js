import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort } from './free-port.js';
import { listening } from './proxies.js';

/** A real coturn on loopback, over UDP and TCP, that shares a secret with the server. */
export class Turn {
  static async start(secret = 'north') {
    const folder = await mkdtemp(join(tmpdir(), 'signalpost-turn-'));
    const port = await freePort();
    const at = ['--listening-ip=127.0.0.1', '--relay-ip=127.0.0.1', `--listening-port=${port}`, '--allow-loopback-peers'];
    const keys = ['--use-auth-secret', `--static-auth-secret=${secret}`, '--realm=signalpost'];
    const files = [`--userdb=${folder}/db`, `--pidfile=${folder}/pid`, '--log-file=stdout'];
    const child = spawn('turnserver', ['-n', '--no-cli', '--no-tls', '--no-dtls', ...at, ...keys, ...files], { stdio: 'ignore' });
    process.once('exit', () => child.kill('SIGKILL'));
    const gone = once(child, 'exit').then(([code]) => { throw new Error(`turnserver ended with ${code}`); });
    await Promise.race([listening(port), gone]);
    gone.catch(() => {});
    return Object.assign(new Turn(), { child, folder, port, secret });
  }

  /** The server options that configure this relay. */
  flags({ secret = this.secret, transports = ['udp', 'tcp'] } = {}) {
    const urls = transports.flatMap((transport) => ['--turn-url', `turn:127.0.0.1:${this.port}?transport=${transport}`]);
    return [...urls, '--turn-secret', secret];
  }

  async stop() {
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
    await rm(this.folder, { recursive: true });
  }
}
