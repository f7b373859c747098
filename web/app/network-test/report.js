import { GRADES } from './outcome.js';

/** @import { Line, Outcome } from './outcome.js' */

/**
 * @typedef {object} Report
 * @property {'running' | 'done' | 'stopped'} state
 * @property {string} when
 * @property {string} page the address that was tested, without what follows the path
 * @property {string} server its version
 * @property {string} protocol of the requests to it
 * @property {string} browser
 * @property {Pick<Outcome, 'grade' | 'words'> | null} verdict
 * @property {Line[]} tests
 */

/**
 * To be sent to whoever can help. Nothing in it is a secret: no token, no credential, no address of this machine.
 *
 * @param {Report} report
 */
export function asText({ state, when, page, server, protocol, browser, verdict, tests }) {
  const lines = tests.map(({ title, outcome }) => {
    if (!outcome) return `[…] ${title}: ${state === 'running' ? 'still running' : 'stopped'}`;
    const todo = outcome.todo ? `\n    To do: ${outcome.todo}` : '';
    return `[${GRADES[outcome.grade]}] ${title}: ${outcome.words}${todo}`;
  });
  const head = [`Signalpost network test of ${page}`, when, `Server ${server}, asked over ${protocol}`, `Browser ${browser}`];
  return [...head, '', verdict?.words ?? 'No verdict.', '', ...lines, ''].join('\n');
}
