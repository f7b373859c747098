import { answer } from './answer.js';
import { patch } from './patch.js';
import { session } from './session.js';
import { surroundings } from './surroundings.js';

/**
 * @typedef {'MUST' | 'MUST NOT' | 'SHALL' | 'SHOULD' | 'SHOULD NOT' | 'MAY'} Level
 * @typedef {object} Case
 * @property {string} id
 * @property {string} section of RFC 9725
 * @property {Level} level
 * @property {string} rule
 * @property {(subject: import('../kit/subject.js').Subject) => Promise<string | undefined>} run resolves with what was seen
 */

/** @param {Case} one */
const order = ({ section }) => section.split('.').reduce((sum, part, at) => sum + Number(part) / 100 ** at, 0);

/** @type {Case[]} */
export const cases = [...session, ...answer, ...patch, ...surroundings].sort((one, other) => order(one) - order(other));
