import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createInterface } from 'node:readline';

/** The folder of an example. */
export const example = (name) => new URL(`../../../examples/${name}`, import.meta.url).pathname;

const running = new Set();
// Kills them even if the test's process ends first.
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** A program of an example that runs in this folder until it ends or the test does. */
export function start(t, folder, program, ...args) {
  const child = spawn(program, args, { cwd: folder });
  running.add(child);
  t.after(() => child.kill());
  const lines = [];
  const output = new EventEmitter();
  const take = (line) => { lines.push(line); output.emit('line'); };
  for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', take);
  const ended = once(child, 'close').then(([code]) => { running.delete(child); take(`exit ${code}`); return code; });
  /** Resolves when it prints this line, or one that matches; past lines included unless already returned. */
  const printed = async (line) => {
    for (;;) {
      const at = lines.findIndex((one) => (line instanceof RegExp ? line.test(one) : line === one));
      if (at >= 0) return lines.splice(at, 1)[0];
      assert.ok(!lines.some((one) => one.startsWith('exit ')), `it ended without "${line}": ${lines.join('\n')}`);
      await once(output, 'line');
    }
  };
  return { child, printed, lines, ended, say: (text) => child.stdin.write(`${text}\n`), end: () => { child.stdin.end(); return ended; } };
}
