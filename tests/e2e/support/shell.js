import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A program as people start it: by a command in a shell. */
export class Shell {
  log = '';

  /**
   * @param {string} command
   * @param {{ env?: Record<string, string>, on?: (...command: string[]) => string[] }} [options] `on`: the command line that runs it on another host
   */
  static start(t, command, { env, on = (...line) => line } = {}) {
    const [program, ...args] = on('sh', '-c', `exec ${command}`);
    const shell = Object.assign(new Shell(), { child: spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] }) });
    const { child } = shell;
    for (const output of [child.stdout, child.stderr]) output.setEncoding('utf8').on('data', (text) => { shell.log += text; });
    process.once('exit', () => child.kill('SIGKILL'));
    t.after(() => child.kill('SIGKILL'));
    shell.ended = once(child, 'exit').then(([code]) => assert.fail(`it ended with ${code}: ${shell.log}`));
    shell.ended.catch(() => {});
    return shell;
  }

  /** Fails if the program ends meanwhile. @param {() => Promise<unknown>} work */
  whileItRuns(work) {
    return Promise.race([this.ended, work()]);
  }

  /** @param {NodeJS.Signals} signal */
  end(signal) {
    this.child.kill(signal);
  }
}
