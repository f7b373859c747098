/** The server broke the rule of a case. */
export class Broken extends Error {
  /** @param {string} seen @param {string} expected */
  constructor(seen, expected) {
    super(`${seen}; expected: ${expected}`);
    this.seen = seen;
    this.expected = expected;
  }
}

/** The rule is about something optional that this server does not do, or that the command line did not ask about. */
export class NotApplicable extends Error {}

/**
 * @param {unknown} holds
 * @param {string} seen
 * @param {string} expected
 */
export function check(holds, seen, expected) {
  if (!holds) throw new Broken(seen, expected);
}

/** @param {{ status: number }} response */
export const is2xx = ({ status }) => status >= 200 && status < 300;

/** @param {{ status: number }} response */
export const is4xx = ({ status }) => status >= 400 && status < 500;
