import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const file = (name) => new URL(`../native/${name}`, import.meta.url).pathname;
export const python = process.env.PYTHON ?? new URL('../../../target/python/bin/python', import.meta.url).pathname;

/** Native peers, which use the API directly. */
export const LIBRARIES = {
  aiortc: [python, file('peer.py')],
  libdatachannel: [process.execPath, file('peer.js')],
};

const PROGRAMS = { ...LIBRARIES, 'our Python client': [python, file('call.py')] };

const running = new Set();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** A native peer in a room. */
export class Native {
  #seen = [];
  #wake = () => {};

  /**
   * @param {keyof PROGRAMS} library
   * @param {('own' | 'early')[]} options
   */
  static async join(library, base, room, options = []) {
    const [program, script] = PROGRAMS[library];
    const native = Native.start(program, script, base, room, ...options);
    await native.join();
    return native;
  }

  /** A program that writes events. */
  static start(program, ...args) {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    running.add(child);
    child.once('exit', () => running.delete(child));
    const native = Object.assign(new Native(), { child });
    createInterface({ input: child.stdout }).on('line', (line) => native.#take(JSON.parse(line)));
    child.once('close', () => native.#take({ event: 'exit' }));
    return native;
  }

  /** Joins, or joins again after it left. */
  async join() {
    this.do('join');
    await this.next('joined');
  }

  #take(happened) {
    if (process.env.NATIVE_LOG) console.log(JSON.stringify(happened));
    this.#seen.push(happened);
    this.#wake();
  }

  /** Resolves with the next matching event, past events included unless already returned. */
  async next(event, more = {}) {
    const wanted = (one) => one.event === event && Object.entries(more).every(([name, value]) => one[name] === value);
    for (;;) {
      const at = this.#seen.findIndex(wanted);
      if (at >= 0) return this.#seen.splice(at, 1)[0];
      if (this.#seen.some((one) => one.event === 'exit')) throw new Error(`it ended before ${event}`);
      await new Promise((resolve) => { this.#wake = resolve; });
    }
  }

  /** Discards all past events. */
  forget() {
    this.#seen = [];
  }

  do(...command) {
    this.child.stdin.write(`${JSON.stringify(command)}\n`);
  }

  async leave() {
    this.do('leave');
    await this.next('gone');
  }

  async end() {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }
}
