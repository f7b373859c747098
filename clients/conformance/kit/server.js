import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const binary = process.env.SIGNALPOST_BIN ?? new URL('../../../target/debug/signalpost', import.meta.url).pathname;

/** One that is kept across restarts. */
export const KEPT = ['--token-key', 'a-key-that-outlives-the-server-0123456789abcdef'];
/** The kit and its clients share an address. */
const UNLIMITED = ['--rate-join', '0', '--rate-send', '0', '--rate-poll', '0'];

/** The server that clients are tested with, on a free port. */
export class Server {
  base = '';
  /** @type {import('node:child_process').ChildProcess | null} */
  #child = null;

  /** @param {string[]} flags */
  constructor(flags = []) {
    this.flags = [...UNLIMITED, ...flags];
  }

  get host() {
    return new URL(this.base).host;
  }

  /** Starts it, or starts it again at the same address. */
  async start() {
    const listen = this.base ? this.host : '127.0.0.1:0';
    const env = { ...process.env, SIGNALPOST_LOG: 'error' };
    const child = spawn(binary, ['--listen', listen, ...this.flags], { stdio: ['ignore', 'pipe', 'inherit'], env });
    process.once('exit', () => child.kill('SIGKILL'));
    process.setMaxListeners(0);
    const gone = once(child, 'exit').then(() => { throw new Error(`${binary} ended before it listened`); });
    const [line] = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), gone]);
    gone.catch(() => {});
    this.#child = child;
    this.base = line.replace('listening on ', '');
    return this;
  }

  /** Asks it to stop, and waits until it has. */
  async stop() {
    await this.#end('SIGTERM');
  }

  /** As a power cut would. */
  async kill() {
    await this.#end('SIGKILL');
  }

  /** @param {NodeJS.Signals} how */
  async #end(how) {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(how);
    await ended;
  }
}
