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
 * @typedef {object} Line one test
 * @property {'signaling' | 'webrtc' | 'poll' | 'upgrade' | 'stun' | 'nat' | 'turn'} kind
 * @property {string} title
 * @property {string} [url]
 * @property {Outcome} [outcome] missing while it runs
 */

/** @param {Grade} grade */
export function gradeWords(grade) {
  return say(`grade-${grade}`);
}

export {};
