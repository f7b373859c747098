import { plain } from '../names.js';
import { gradeWords } from './outcome.js';

/** @import { Line, Outcome } from './outcome.js' */

/**
 * @typedef {object} Report
 * @property {'running' | 'done' | 'stopped'} state
 * @property {string} when
 * @property {string} page the origin that was tested
 * @property {string} server its version
 * @property {string} protocol of requests to it
 * @property {string} browser
 * @property {Pick<Outcome, 'grade' | 'words'> | null} verdict
 * @property {Line[]} tests
 */

/**
 * The report as text, for people who can help. It has no secrets: no token, no credential, no address of this machine.
 *
 * @param {Report} report
 */
export function asText({ state, when, page, server, protocol, browser, verdict, tests }) {
  const lines = tests.map(({ title, outcome }) => {
    if (!outcome) return `[…] ${title}: ${state === 'running' ? 'still running' : 'stopped'}`;
    const todo = outcome.todo ? `\n    To do: ${outcome.todo}` : '';
    return `[${gradeWords(outcome.grade)}] ${title}: ${outcome.words}${todo}`;
  });
  const head = [`Signalpost network test of ${page}`, when, `Server ${server}, over ${protocol}`, `Browser ${browser}`];
  return plain([...head, '', verdict?.words ?? 'No verdict.', '', ...lines, ''].join('\n'));
}
