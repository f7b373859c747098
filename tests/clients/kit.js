import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const kit = new URL('../../clients/conformance/', import.meta.url).pathname;
/** Our client for Rust, as tests/run.sh builds it. */
export const rust = process.env.RUST_CONFORMANCE ?? new URL('../../target/debug/examples/conformance', import.meta.url).pathname;
export const python = process.env.PYTHON ?? new URL('../../target/python/bin/python', import.meta.url).pathname;

/**
 * Runs the kit, and fails if it did not get to its end. The command that starts the client may name a file in the kit's folder.
 *
 * @param {string[]} client
 * @param {string[]} [options]
 * @returns {Promise<{ name: string, passed: boolean, kind?: string, seen: string, expected?: string }[]>}
 */
export async function verdicts(client, options = []) {
  const command = client.map((part) => (/^\w+\/\w+\.(js|py)$/.test(part) ? kit + part : part));
  const args = [`${kit}run.js`, '--json', ...options, '--', ...command];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = [];
  createInterface({ input: child.stdout }).on('line', (line) => said.push(JSON.parse(line)));
  const [code] = await once(child, 'close');
  assert.equal(code, said.every(({ passed }) => passed) ? 0 : 1, 'the exit code of the kit');
  for (const beginning of chosen(options)) assert.ok(said.some(({ name }) => name.startsWith(beginning)), `no scenario ran: ${beginning}`);
  return said;
}

/** The beginnings of names that were asked for; by default that of every name. @param {string[]} options */
const chosen = (options) => (options.includes('--only') ? options[options.indexOf('--only') + 1] : '').split(',');

/** What a client did wrong, by scenario. */
export const wrongs = (said) => Object.fromEntries(said.filter(({ passed }) => !passed).map(({ name, kind, seen }) => [name, `${kind}: ${seen}`]));

/** A few hundred exchanges in `many`; the kit's own default is more. */
export const MESSAGES = ['--messages', process.env.KIT_MESSAGES ?? '4000'];

/** How many scenarios there are. */
export const ALL = 42;
