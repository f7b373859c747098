import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { Failure } from './failure.js';

/** The client under test, as a child process that speaks JSON lines. */
export class Client {
  #seen = [];
  /** @type {Set<() => void>} */
  #waiting = new Set();
  /** The last line about its state. */
  state = 'connected';
  ended = false;

  /**
   * @param {string[]} command
   * @param {(describe: () => string) => () => void} waits notes what is waited for, until the returned function is called
   */
  constructor([program, ...args], waits) {
    this.waits = waits;
    this.child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    process.once('exit', () => this.child.kill('SIGKILL'));
    // A client that ended cannot be told anything.
    this.child.stdin.on('error', () => {});
    const end = () => { this.ended = true; this.#wake(); };
    this.child.once('error', end);
    createInterface({ input: this.child.stdout }).on('line', (line) => this.#take(line)).once('close', end);
  }

  #take(line) {
    if (process.env.CONFORMANCE_LOG) process.stderr.write(`${line}\n`);
    let said;
    try {
      said = JSON.parse(line);
    } catch {
      said = { event: 'nonsense', line };
    }
    if (said.event === 'state') this.state = said.state;
    this.#seen.push(said);
    this.#wake();
  }

  #wake() {
    for (const look of this.#waiting) look();
    this.#waiting.clear();
  }

  /** @param {object} command */
  do(command) {
    if (!this.ended) this.child.stdin.write(`${JSON.stringify(command)}\n`);
  }

  /**
   * The next matching event, past ones included unless already returned.
   *
   * @param {string} event
   * @param {object} [match] members that it must have
   * @param {string} [instead] an event that shows that it will not come
   */
  async next(event, match = {}, instead) {
    const matching = (name) => (one) => one.event === name && Object.entries(match).every(([member, value]) => one[member] === value);
    const wanted = matching(event);
    const what = JSON.stringify({ event, ...match });
    const done = this.waits(() => `the client did not say ${what}; the last it said: ${JSON.stringify(this.#seen.at(-1) ?? null)}`);
    try {
      for (;;) {
        const at = this.#seen.findIndex(wanted);
        if (at >= 0) return this.#seen.splice(at, 1)[0];
        const other = instead && this.#seen.find(matching(instead));
        if (other) throw new Failure('wrong', `the client said ${JSON.stringify(other)}`, what);
        const bad = this.#seen.find((one) => one.event === 'nonsense');
        if (bad) throw new Failure('wrong', `the client printed ${JSON.stringify(bad.line)}`, 'JSON lines');
        if (this.ended) throw new Failure('silence', `the client ended before it said ${what}`, 'that it runs until it has left');
        await new Promise((resolve) => void this.#waiting.add(() => resolve(undefined)));
      }
    } finally {
      done();
    }
  }

  /** What it said and nobody asked for. @param {string} event */
  unread(event) {
    return this.#seen.filter((one) => one.event === event);
  }

  /** Data of all messages from a peer up to `end`, in order of arrival. */
  async received(from, end = 'end') {
    const got = [];
    for (;;) {
      const { data } = await this.next('received', { from });
      if (data === end) return got;
      got.push(data);
    }
  }

  /** As a crash would. */
  async kill() {
    if (this.ended) return;
    const exit = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exit;
  }

  /** Waits until it has ended by itself. */
  async exited() {
    const done = this.waits(() => 'the client did not end after it had left');
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
    done();
    return this.child.exitCode;
  }
}
