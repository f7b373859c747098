/** Deno, from its npm package: the program itself, because signals to the script that starts it do not reach it. */
const program = new URL(`../node_modules/@deno/linux-${process.arch === 'arm64' ? 'arm64' : 'x64'}-glibc/deno`, import.meta.url).pathname;

/** It may use the network, and asks neither a registry nor the user for anything. */
const strict = ['run', '--quiet', '--no-prompt', '--node-modules-dir=manual', '--cached-only', '--allow-net'];

/** For adapters of the kit, which are programs for Node.js. */
export const deno = [program, ...strict, '--allow-env', '--allow-read'];

/** What runs a program that uses our client. */
export const RUNTIMES = { 'Node.js': [process.execPath], Deno: [program, ...strict] };

/**
 * The first message that a program sends. Rejects if the program ends before.
 *
 * @param {import('../../web/client/index.js').Room} room
 * @param {import('node:child_process').ChildProcess} child
 */
export function greeting(room, child) {
  return new Promise((resolve, reject) => {
    room.on('message', resolve);
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`it ended with ${code ?? signal} before it said anything`)));
  });
}
