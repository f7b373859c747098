import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { freePort } from './free-port.js';

export const binary = process.env.SIGNALPOST_BIN ?? new URL('../../../target/release/signalpost', import.meta.url).pathname;

/** The binary on a free port, with default options. */
export class Server {
  /** @param {string[]} flags */
  static async start(flags = [], listen = undefined) {
    const address = listen ?? `127.0.0.1:${await freePort()}`;
    // A test that sets the log level reads the log.
    const stderr = flags.includes('--log') ? 'pipe' : 'inherit';
    const child = spawn(binary, ['--listen', address, ...flags], { stdio: ['ignore', 'pipe', stderr], env: { ...process.env, SIGNALPOST_LOG: 'warn', SIGNALPOST_DRAIN_MS: '0' } });
    // Kills the server even if a test fails before stopping it.
    process.once('exit', () => child.kill('SIGKILL'));
    const lines = createInterface({ input: child.stdout });
    const gone = once(child, 'exit').then(() => { throw new Error(`${binary} ended before it listened`); });
    const [line] = await Promise.race([once(lines, 'line'), gone]);
    gone.catch(() => {});
    const base = line.replace('listening on ', '');
    return new Server(child, base, flags);
  }

  constructor(child, base, flags) {
    Object.assign(this, { child, base, flags, logs: '' });
    child.stderr?.setEncoding('utf8').on('data', (text) => { this.logs += text; });
  }

  /** Resolves when `times` lines of the log contain this text. */
  async logged(text, times = 1) {
    while (this.logs.split(text).length <= times) await once(this.child.stderr, 'data');
  }

  /** Kills the server, as a power cut would. */
  async kill() {
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }

  async stop() {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
  }

  /** Starts the same server again, at the same address. */
  restart() {
    return Server.start(this.flags, new URL(this.base).host);
  }
}
