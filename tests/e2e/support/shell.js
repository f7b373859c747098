import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';

import { glance } from './glance.js';

/** A program as people start it: by a command in a shell. */
export class Shell {
  /** What it has printed. */
  log = '';

  /** @param {string} command */
  static start(t, command, { env = {} } = {}) {
    const shell = new Shell(spawn('sh', ['-c', `exec ${command}`], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] }));
    const kill = () => shell.child.kill('SIGKILL');
    process.once('exit', kill);
    t.after(async () => {
      kill();
      await shell.ended;
      process.off('exit', kill);
    });
    return shell;
  }

  /** @param {import('node:child_process').ChildProcess} child with pipes for its output; the code that started it also ends it */
  constructor(child) {
    this.child = child;
    for (const output of [child.stdout, child.stderr]) output.setEncoding('utf8').on('data', (text) => { this.log += text; });
    /** How it ended: its code, or its signal. */
    this.ended = once(child, 'exit').then(([code, signal]) => code ?? signal);
  }

  /** Fails if the program ends meanwhile. @param {() => Promise<unknown>} work */
  whileItRuns(work) {
    return Promise.race([this.ended.then((how) => assert.fail(`it ended with ${how}: ${this.log}`)), work()]);
  }

  /**
   * Interrupts it, as Ctrl-C does, and resolves when it has ended. Only while it sleeps: simple-whip-client makes its last request in the signal's
   * handler, which waits forever if it has interrupted malloc. (Seen once, on a busy machine: the picture went on.)
   */
  async interrupt() {
    while (!(await readFile(`/proc/${this.child.pid}/stat`, 'utf8')).includes(') S ')) await glance();
    this.child.kill('SIGINT');
    return this.ended;
  }
}
