import { BASE } from '../base.js';
import { isWanted } from '../consent.js';
import { begin, fillPicker, onLanguage, show as translate } from '../languages/document.js';
import { say } from '../languages/say.js';
import { plain } from '../names.js';
import { copyOf, inside, part, write } from '../page.js';
import { HOLDS_MS } from './long-poll.js';
import { gradeWords } from './outcome.js';
import { asText } from './report.js';
import { runTests } from './tests.js';
import { verdictOf } from './verdict.js';

/** @import { Line } from './outcome.js' */
/** @import { Report } from './report.js' */
/** @import { Seat } from './seat.js' */

const SAID_FOR_MS = 2_000;
document.body.dataset.loaded = 'code';
await begin();
const list = part('tests', HTMLElement);
const stop = part('stop', HTMLButtonElement);
const start = part('start', HTMLButtonElement);
const again = part('again', HTMLButtonElement);
const copy = part('copy', HTMLButtonElement);

/**
 * One run of all tests. A run that was stopped shows nothing more, even if parts of it still end.
 *
 * @typedef {object} Run
 * @property {AbortController} control
 * @property {Map<Line, HTMLElement>} rows
 * @property {Seat[]} seats
 * @property {number} started
 * @property {Report} report
 */

/** @type {Run | null} */
let current = null;

async function run() {
  copy.hidden = false;
  list.replaceChildren();
  /** @type {Report} */
  const report = {
    state: 'running',
    when: new Date().toISOString(),
    page: location.origin,
    server: '',
    protocol: protocol(),
    browser: navigator.userAgent,
    verdict: null,
    tests: [],
  };
  /** @type {Run} */
  const run = { control: new AbortController(), rows: new Map(), seats: [], started: performance.now(), report };
  const { signal } = run.control;
  current = run;
  Object.assign(window, { signalpost: { get report() { return JSON.parse(plain(JSON.stringify(report))); } } });
  show(run);
  start.hidden = true;
  // It tells about the server and not about the network, so nothing waits for it.
  void version(signal).then((server) => {
    report.server = server;
    if (run === current) show(run);
  });
  const counting = setInterval(() => count(run), 250);
  await runTests(signal, (about) => line(run, about), (seat) => run.seats.push(seat)).catch(() => {});
  clearInterval(counting);
  if (!signal.aborted) {
    report.state = 'done';
    show(run);
  }
  await Promise.all(run.seats.splice(0).map((seat) => seat.leave()));
}

function halt() {
  const run = current;
  if (!run || run.report.state !== 'running') return;
  run.control.abort();
  run.report.state = 'stopped';
  for (const [about, row] of run.rows) if (!about.outcome) fill(row, about, 'stopped');
  show(run);
}

/**
 * A test has begun or ended.
 *
 * @param {Run} run
 * @param {Line} about
 */
function line(run, about) {
  if (run !== current || run.control.signal.aborted) return;
  const row = run.rows.get(about) ?? copyOf('test');
  if (!run.rows.has(about)) {
    run.rows.set(about, row);
    run.report.tests.push(about);
    list.append(row);
    row.dataset.test = about.kind;
  }
  fill(row, about, 'running');
  show(run);
}

/**
 * @param {HTMLElement} row
 * @param {Line} about
 * @param {'running' | 'stopped'} otherwise without an outcome
 */
function fill(row, { kind, title, outcome }, otherwise) {
  inside(row, 'title').textContent = title;
  row.dataset.grade = outcome?.grade ?? otherwise;
  inside(row, 'grade').textContent = outcome ? gradeWords(outcome.grade) : say(otherwise);
  write(inside(row, 'words'), outcome?.words ?? (otherwise === 'running' ? '…' : ''));
  write(inside(row, 'todo'), outcome?.todo ?? '');
  inside(row, 'progress').hidden = kind !== 'poll' || Boolean(outcome) || otherwise === 'stopped';
}

/** The poll takes longest, so show its progress. @param {Run} run */
function count({ control, rows, started }) {
  if (control.signal.aborted) return;
  for (const [{ kind, outcome }, row] of rows) {
    if (kind !== 'poll' || outcome) continue;
    const progress = /** @type {HTMLProgressElement} */ (inside(row, 'progress'));
    const longest = HOLDS_MS[1] / 1000;
    const seconds = Math.min(longest, (performance.now() - started) / 1000);
    progress.max = longest;
    progress.value = seconds;
    inside(row, 'words').textContent = say('poll-waits', { seconds: Math.floor(seconds), longest });
  }
}

/** @param {Run} run */
function show({ report }) {
  report.verdict = report.state === 'stopped' ? null : verdictOf(report.tests);
  const { state, verdict } = report;
  document.body.dataset.state = state;
  const words = verdict?.words ?? (state === 'stopped' ? say('sentence', { text: say('stopped') }) : say('testing'));
  const shown = part('verdict', HTMLElement);
  shown.dataset.grade = verdict?.grade ?? state;
  delete shown.dataset.say;
  write(shown, words);
  const pressed = [start, stop, again].some((button) => button === document.activeElement);
  stop.hidden = state !== 'running';
  again.hidden = state === 'running';
  // The button that was pressed is gone.
  if (pressed) (stop.hidden ? again : stop).focus();
  part('report', HTMLElement).textContent = asText(report);
}

/** In another language. */
function reword() {
  if (!current) return;
  const { rows, report } = current;
  for (const [about, row] of rows) {
    about.word?.();
    fill(row, about, report.state === 'stopped' ? 'stopped' : 'running');
  }
  show(current);
}

/** The server's version, from the OpenAPI document. @param {AbortSignal} signal */
async function version(signal) {
  try {
    return (await (await fetch(`${BASE}openapi.json`, { signal })).json()).info.version;
  } catch {
    return '';
  }
}

function protocol() {
  const [loaded] = performance.getEntriesByType('navigation');
  return /** @type {PerformanceNavigationTiming | undefined} */ (loaded)?.nextHopProtocol || 'HTTP';
}

fillPicker(part('language', HTMLSelectElement));
onLanguage(reword);
stop.addEventListener('click', halt);
// It takes seats in rooms, so no link starts it.
for (const button of [start, again]) button.addEventListener('click', ({ isTrusted }) => isTrusted && isWanted() && void run());
// Until here, a click would have been lost.
start.disabled = false;
copy.addEventListener('click', async () => {
  const text = part('report', HTMLElement);
  try {
    await navigator.clipboard.writeText(text.textContent ?? '');
    translate(copy, 'report-copied');
    setTimeout(() => translate(copy, 'copy-report'), SAID_FOR_MS);
  } catch {
    // Plain http has no clipboard: select the text instead.
    part('report-view', HTMLDetailsElement).open = true;
    getSelection()?.selectAllChildren(text);
  }
});
document.body.dataset.loaded = 'true';
window.addEventListener('pagehide', () => {
  for (const seat of current?.seats ?? []) seat.goodbye();
});
