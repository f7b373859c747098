import { BASE } from '../base.js';
import { isWanted } from '../consent.js';
import { plain } from '../names.js';
import { copyOf, inside, part, write } from '../page.js';
import { HOLDS_MS } from './long-poll.js';
import { GRADES } from './outcome.js';
import { asText } from './report.js';
import { runTests } from './tests.js';
import { verdictOf } from './verdict.js';

/** @import { Line } from './outcome.js' */
/** @import { Report } from './report.js' */
/** @import { Seat } from './seat.js' */

const SAID_FOR_MS = 2_000;
const list = part('tests', HTMLElement);
const stop = part('stop', HTMLButtonElement);
const start = part('start', HTMLButtonElement);
const again = part('again', HTMLButtonElement);
const copy = part('copy', HTMLButtonElement);

/** @type {Map<Line, HTMLElement>} */
let rows = new Map();
/** @type {Seat[]} */
let seats = [];
let run = new AbortController();
let started = performance.now();
/** @type {Report} */
let report;

async function begin() {
  start.hidden = true;
  copy.hidden = false;
  list.replaceChildren();
  rows = new Map();
  seats = [];
  run = new AbortController();
  started = performance.now();
  report = {
    state: 'running',
    when: new Date().toISOString(),
    page: location.origin,
    server: await version(),
    protocol: protocol(),
    browser: navigator.userAgent,
    verdict: null,
    tests: [],
  };
  Object.assign(window, { signalpost: { get report() { return JSON.parse(plain(JSON.stringify(report))); } } });
  show();
  const counting = setInterval(count, 250);
  await runTests(run.signal, line, (seat) => seats.push(seat)).catch(() => {});
  clearInterval(counting);
  report.state = run.signal.aborted ? 'stopped' : 'done';
  show();
  await Promise.all(seats.splice(0).map((seat) => seat.leave()));
}

/** A test has begun or ended. @param {Line} about */
function line(about) {
  const row = rows.get(about) ?? copyOf('test');
  if (!rows.has(about)) {
    rows.set(about, row);
    report.tests.push(about);
    list.append(row);
    row.dataset.test = about.kind;
    inside(row, 'title').textContent = about.title;
  }
  const { outcome } = about;
  row.dataset.grade = outcome?.grade ?? 'running';
  inside(row, 'grade').textContent = outcome ? GRADES[outcome.grade] : 'Running';
  write(inside(row, 'words'), outcome?.words ?? '…');
  write(inside(row, 'todo'), outcome?.todo ?? '');
  inside(row, 'progress').hidden = about.kind !== 'poll' || Boolean(outcome);
  show();
}

/** The poll takes longest, so show its progress. */
function count() {
  for (const [{ kind, outcome }, row] of rows) {
    if (kind !== 'poll' || outcome) continue;
    const progress = /** @type {HTMLProgressElement} */ (inside(row, 'progress'));
    const longest = HOLDS_MS[1] / 1000;
    const seconds = Math.min(longest, (performance.now() - started) / 1000);
    progress.max = longest;
    progress.value = seconds;
    inside(row, 'words').textContent = `A request is waiting for its response: ${Math.floor(seconds)} s of up to ${longest} s`;
  }
}

function show() {
  report.verdict = verdictOf(report.tests);
  const { state, verdict } = report;
  document.body.dataset.state = state;
  const words = verdict?.words ?? (state === 'stopped' ? 'Stopped.' : 'Testing…');
  const shown = part('verdict', HTMLElement);
  shown.dataset.grade = verdict?.grade ?? state;
  write(shown, words);
  stop.hidden = state !== 'running';
  again.hidden = state === 'running';
  part('report', HTMLElement).textContent = asText(report);
}

/** The server's version, from the OpenAPI document. */
async function version() {
  try {
    return (await (await fetch(`${BASE}openapi.json`)).json()).info.version;
  } catch {
    return '(unknown)';
  }
}

function protocol() {
  const [loaded] = performance.getEntriesByType('navigation');
  return /** @type {PerformanceNavigationTiming | undefined} */ (loaded)?.nextHopProtocol || 'HTTP';
}

stop.addEventListener('click', () => run.abort());
// It takes seats in rooms, so no link starts it.
for (const button of [start, again]) button.addEventListener('click', ({ isTrusted }) => isTrusted && isWanted() && void begin());
// Until here, a click would have been lost.
start.disabled = false;
copy.addEventListener('click', async () => {
  const text = part('report', HTMLElement);
  try {
    await navigator.clipboard.writeText(text.textContent ?? '');
    copy.textContent = 'Report copied';
    setTimeout(() => void (copy.textContent = 'Copy report'), SAID_FOR_MS);
  } catch {
    // Plain http has no clipboard: select the text instead.
    part('report-view', HTMLDetailsElement).open = true;
    getSelection()?.selectAllChildren(text);
  }
});
document.body.dataset.loaded = 'true';
window.addEventListener('pagehide', () => {
  for (const seat of seats) seat.goodbye();
});
