#!/usr/bin/env node
// Takes a WHIP server through the rules of RFC 9725, and prints a verdict for each:
//
//   node clients/whip-conformance/run.js --endpoint URL [--token T] [--origin ORIGIN] [--only ID,…] [--strict] [--json] [--list]
//
// --origin: of pages that may use the server. --only takes beginnings of ids or of sections. --list prints the cases. Exits with 1 if a
// MUST, MUST NOT or SHALL is broken; with --strict, any rule.

import { parseArgs } from 'node:util';

import { cases } from './cases/index.js';
import { Subject } from './kit/subject.js';
import { Broken, NotApplicable } from './kit/verdict.js';

/** @import { Case } from './cases/index.js' */

const { values } = parseArgs({
  options: {
    endpoint: { type: 'string' },
    token: { type: 'string' },
    origin: { type: 'string', default: 'https://conformance.example' },
    only: { type: 'string', default: '' },
    strict: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

const STRICT = new Set(['MUST', 'MUST NOT', 'SHALL']);
const wanted = values.only.split(',');
const chosen = cases.filter(({ id, section }) => wanted.some((beginning) => id.startsWith(beginning) || section.startsWith(beginning)));
const title = (/** @type {Case} */ { section, level, id }) => `${section.padEnd(6)} ${level.padEnd(10)} ${id.padEnd(22)}`;
if (values.list) {
  for (const one of chosen) console.log(`${title(one)} ${one.rule}`);
  process.exit();
}
if (!values.endpoint || !URL.canParse(values.endpoint) || chosen.length === 0) {
  console.error('usage: run.js --endpoint URL [--token T] [--origin ORIGIN] [--only ID,…] [--strict] [--json] [--list]');
  process.exit(2);
}

/**
 * @param {Case} one
 * @returns {Promise<{ verdict: 'kept' | 'broken' | 'not applicable', seen?: string, expected?: string }>}
 */
async function judge(one) {
  const subject = new Subject(/** @type {{ endpoint: string, origin: string, token?: string }} */ (values));
  try {
    return { verdict: 'kept', seen: await one.run(subject) };
  } catch (error) {
    if (error instanceof NotApplicable) return { verdict: 'not applicable', seen: error.message };
    if (error instanceof Broken) return { verdict: 'broken', seen: error.seen, expected: error.expected };
    return { verdict: 'broken', seen: `no answer: ${/** @type {Error} */ (error).message}`, expected: one.rule };
  } finally {
    await subject.end();
  }
}

const MARKS = { kept: '✔', broken: '✘', 'not applicable': '–' };
const count = { kept: 0, broken: 0, 'not applicable': 0 };
let failed = 0;
// One at a time: some servers take one encoder only.
for (const one of chosen) {
  const { verdict, seen, expected } = await judge(one);
  count[verdict] += 1;
  if (verdict === 'broken' && (values.strict || STRICT.has(one.level))) failed += 1;
  if (values.json) console.log(JSON.stringify({ id: one.id, section: one.section, level: one.level, rule: one.rule, verdict, seen, expected }));
  else console.log(`${MARKS[verdict]} ${title(one)} ${verdict === 'broken' ? `${one.rule}\n    seen:     ${seen}\n    expected: ${expected}` : seen}`);
}
if (!values.json) console.log(`\n${count.kept} kept, ${count.broken} broken, ${count['not applicable']} not applicable`);
process.exit(failed === 0 ? 0 : 1);
