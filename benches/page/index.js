import { parseArgs } from 'node:util';

import { Server } from '../../tests/e2e/support/server.js';
import { paints } from './paint.js';
import { joins } from './picture.js';
import { longTasks } from './rest.js';
import { firstLoad, total } from './weight.js';

const HELP = `node benches/page [--only weight,paint,picture,rest] [--files]

Needs what tests/e2e needs; SIGNALPOST_BIN is another server than target/release/signalpost.
--files also lists what is loaded first, the largest first.`;
const RUNS = 5;
const REST = { people: 8, seconds: 30 };

/** @param {number[]} values */
function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** @param {string} name @param {number[]} values in milliseconds @param {string} aim */
function report(name, values, aim) {
  console.log(`${name}: ${median(values).toFixed(0)} ms (${values.map((value) => value.toFixed(0)).join(', ')}); the aim is ${aim}`);
}

/** @param {string} base @param {boolean} isListed */
async function weigh(base, isListed) {
  const loaded = await firstLoad(base);
  const [sent, bytes] = [total(loaded, 'sent'), total(loaded, 'bytes')].map((sum) => (sum / 1_000).toFixed(1));
  console.log(`first load: ${loaded.length} files, ${sent} KB as sent, ${bytes} KB of text; the aim is 120 KB`);
  if (isListed) for (const { path, sent: size } of loaded.sort((a, b) => b.sent - a.sent)) console.log(`  ${size} ${path}`);
}

/** @param {string} base @param {string} over */
async function paint(base, over) {
  const { painted, usable } = await paints(base, RUNS);
  report(`first contentful paint over ${over}`, painted, '1,000 ms');
  report(`form usable over ${over}`, usable, 'none');
}

/** @param {string} base */
async function rest(base) {
  const { noted, tasks, scripts } = await longTasks(base, REST);
  const long = noted.flat();
  const longest = Math.max(0, ...long).toFixed(0);
  const list = (/** @type {number[]} */ all) => all.map((ms) => ms.toFixed(0)).join(', ');
  console.log(`tasks of more than 50 ms by the clock of ${REST.people} pages at rest for ${REST.seconds} s: ${long.length}, the longest ${longest} ms; the aim is none`);
  console.log(`processor time of each page's main thread: ${list(tasks)} ms, of it scripts: ${list(scripts)} ms`);
}

const { values: { only, files, help } } = parseArgs({ options: { only: { type: 'string' }, files: { type: 'boolean' }, help: { type: 'boolean' } } });
const wanted = (/** @type {string} */ part) => !only || only.split(',').includes(part);
if (help) console.log(HELP);
else {
  const [plain, secure] = await Promise.all([Server.start(['--rate-join', '0']), Server.start(['--tls-self-signed'])]);
  if (wanted('weight')) await weigh(plain.base, Boolean(files));
  if (wanted('paint')) await paint(plain.base, 'HTTP/1.1');
  if (wanted('paint')) await paint(secure.base, 'HTTP/2');
  if (wanted('picture')) report('join to picture', await joins(plain.base, RUNS), '1,500 ms');
  if (wanted('rest')) await rest(plain.base);
  await Promise.all([plain.stop(), secure.stop()]);
}
