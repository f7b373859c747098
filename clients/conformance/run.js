#!/usr/bin/env node
// Takes a client through the scenarios and prints a verdict for each:
//
//   node clients/conformance/run.js [--only NAME,…] [--jobs N] [--messages N] [--patience SECONDS] [--json] [--list] -- COMMAND [ARGUMENT…]
//
// COMMAND starts the client, which speaks the protocol that README.md describes. --only takes beginnings of names. --list prints
// the scenarios. --patience bounds each scenario's time. The server is $SIGNALPOST_BIN. Exits with 0 if the client passes all.

import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

import { Failure } from './kit/failure.js';
import { Stage } from './kit/stage.js';
import { scenarios } from './scenarios/index.js';

const HELP = (await readFile(new URL(import.meta.url), 'utf8')).match(/(?<=\n)(\/\/.*\n)+/)[0].replace(/^\/\/ ?/gm, '');

const OPTIONS = {
  help: { type: 'boolean', short: 'h', default: false },
  only: { type: 'string', default: '' },
  jobs: { type: 'string', default: '8' },
  messages: { type: 'string', default: '20000' },
  patience: { type: 'string', default: '600' },
  json: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
};

function read() {
  try {
    return parseArgs({ allowPositionals: true, options: OPTIONS });
  } catch (error) {
    console.error(`run.js: ${error.message}\n\n${HELP}`);
    process.exit(2);
  }
}

const { values, positionals } = read();
if (values.help) {
  console.log(HELP);
  process.exit();
}

const wanted = values.only.split(',');
const chosen = scenarios.filter(({ name }) => wanted.some((beginning) => name.startsWith(beginning)));
if (values.list) {
  for (const { name, promise } of chosen) console.log(`${name.padEnd(42)} ${promise}`);
  process.exit();
}
if (positionals.length === 0 || chosen.length === 0) {
  console.error(HELP);
  process.exit(2);
}

/** @returns {Promise<{ name: string, passed: boolean, kind?: string, seen: string, expected?: string }>} */
async function verdict(scenario) {
  const stage = new Stage(positionals, { messages: Number(values.messages), patience: Number(values.patience) });
  try {
    return { name: scenario.name, passed: true, seen: await stage.run(scenario) };
  } catch (error) {
    // Anything else is a defect of the kit.
    if (!(error instanceof Failure)) return { name: scenario.name, passed: false, kind: 'kit', seen: error.stack, expected: scenario.promise };
    return { name: scenario.name, passed: false, kind: error.kind, seen: error.seen, expected: error.expected };
  }
}

function print({ name, passed, kind, seen, expected }) {
  if (values.json) return console.log(JSON.stringify({ name, passed, kind, seen, expected }));
  if (passed) return console.log(`✔ ${name.padEnd(42)} ${seen}`);
  console.log(`✘ ${name.padEnd(42)} ${kind}\n    seen:     ${seen}\n    expected: ${expected}`);
}

// The slow ones first.
const queue = [...chosen].sort((one, other) => (other.seconds ?? 0) - (one.seconds ?? 0));
let failed = 0;

async function work() {
  for (let scenario = queue.shift(); scenario; scenario = queue.shift()) {
    const said = await verdict(scenario);
    print(said);
    if (!said.passed) failed += 1;
  }
}

await Promise.all(Array.from({ length: Number(values.jobs) }, work));
if (!values.json) console.log(`\n${chosen.length - failed} of ${chosen.length} passed`);
process.exit(failed === 0 ? 0 : 1);
