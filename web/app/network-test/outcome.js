import { say } from '../languages/say.js';

/**
 * The result of a test.
 *
 * `good`: as it should be. `fair`: calls work all the same. `bad`: something is missing. `unknown`: could not be determined.
 *
 * @typedef {'good' | 'fair' | 'bad' | 'unknown'} Grade
 * @typedef {object} Outcome
 * @property {Grade} grade
 * @property {string} words
 * @property {string} [todo]
 * @property {Record<string, unknown>} [figures] for programs
 *
 * @typedef {() => Outcome} Judgement an outcome in the language that the page speaks when it is called
 *
 * @typedef {object} Line one test
 * @property {'signaling' | 'webrtc' | 'poll' | 'upgrade' | 'stun' | 'nat' | 'turn'} kind
 * @property {string} title
 * @property {string} [url]
 * @property {Outcome} [outcome] missing while it runs
 * @property {() => void} [word] words title and outcome anew
 */

/** @param {Grade} grade */
export function gradeWords(grade) {
  return say(`grade-${grade}`);
}

export {};
