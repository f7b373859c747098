import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { promisify } from 'node:util';

import { glance } from '../../e2e/support/glance.js';

const run = promisify(execFile);

if (!process.env.SIGNALPOST_INSIDE) throw new Error('these tests create networks: run them with `bash tests/net.sh`, or one of them with `bash tests/net/inside.sh node --test FILE`');

// Every program adds an exit listener, so that it ends with this process.
process.setMaxListeners(0);

/** A host: a network namespace, and the programs in it. */
export class Host {
  #children = new Set();

  /** @param {string} name prefix of the namespace's name; a random suffix makes it unique */
  static async make(name) {
    const host = new Host();
    host.name = `${name}-${randomBytes(4).toString('hex')}`;
    await run('ip', ['netns', 'add', host.name]);
    await host.sh('ip link set lo up; echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6');
    return host;
  }

  /** The command line that runs a program on this host. The program dies with its parent. */
  command(...command) {
    return ['ip', 'netns', 'exec', this.name, 'setpriv', '--pdeathsig', 'KILL', ...command];
  }

  /** Runs a short script. Resolves with its output. */
  async sh(script) {
    const [program, ...args] = this.command('timeout', '--signal=KILL', '20', 'bash', '-euc', script);
    const { stdout } = await run(program, args);
    return stdout;
  }

  /** Runs a program until it exits, with any code. A program that hangs is killed. */
  async run(command, seconds) {
    const [program, ...args] = this.command('timeout', '--signal=KILL', String(seconds), ...command);
    const ended = await run(program, args).catch((error) => error);
    return { code: ended.code ?? 0, text: ended.stdout + ended.stderr };
  }

  /** Starts a program that keeps running. */
  start(command, { env, stdout = 'ignore' } = {}) {
    const [program, ...args] = this.command(...command);
    const child = spawn(program, args, { stdio: ['ignore', stdout, 'pipe'], env: { ...process.env, ...env } });
    child.complaints = '';
    child.stderr.on('data', (text) => { child.complaints += text; });
    process.once('exit', () => child.kill('SIGKILL'));
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }

  /** Resolves when the program listens on a TCP port of this host. */
  async listening(child, port) {
    const started = Date.now();
    while (!(await this.sh(`ss -Hltn 'sport = :${port}'`)).trim()) {
      const over = child.exitCode !== null || Date.now() - started > 20_000;
      if (over) throw new Error(`${child.spawnargs.join(' ')} does not listen on port ${port}: ${child.exitCode} ${child.complaints}`);
      await glance();
    }
  }

  async end(child) {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Ends all programs on this host, and removes it. */
  async remove() {
    await Promise.all([...this.#children].map((child) => this.end(child)));
    await run('ip', ['netns', 'del', this.name]);
  }
}
