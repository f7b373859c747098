import { say } from '../languages/say.js';
import { plain } from '../names.js';
import { gradeWords } from './outcome.js';

/** @import { Line, Outcome } from './outcome.js' */

/**
 * @typedef {object} Report
 * @property {'running' | 'done' | 'stopped'} state
 * @property {string} when
 * @property {string} page the origin that was tested
 * @property {string} server its version; empty if unknown
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
    if (!outcome) return `[…] ${title}: ${say(state === 'running' ? 'report-running' : 'report-stopped')}`;
    const todo = outcome.todo ? `\n    ${say('report-todo', { todo: outcome.todo })}` : '';
    return `[${gradeWords(outcome.grade)}] ${title}: ${outcome.words}${todo}`;
  });
  const head = [say('report-of', { page }), when, say('report-server', { version: server || say('unknown'), protocol }), say('report-browser', { browser })];
  return plain([...head, '', verdict?.words ?? say('report-no-verdict'), '', ...lines, ''].join('\n'));
}
