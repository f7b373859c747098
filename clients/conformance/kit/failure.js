/**
 * What a client can do wrong.
 *
 * @typedef {'lost' | 'doubled' | 'out of order' | 'storm' | 'silence' | 'wrong'} Kind
 */

/** A verdict against the client, with what was seen and what should have been. */
export class Failure extends Error {
  /**
   * @param {Kind} kind
   * @param {string} seen
   * @param {string} expected
   */
  constructor(kind, seen, expected) {
    super(`${kind}: ${seen}; expected ${expected}`);
    Object.assign(this, { kind, seen, expected });
  }
}

/**
 * Judges numbered messages, from 0, that ended with a marker.
 *
 * @param {unknown[]} got in order of arrival, without the marker
 * @param {number} count
 * @param {string} where
 */
export function judge(got, count, where) {
  const expected = `0 to ${count - 1}, each once and in order`;
  const times = new Map();
  for (const number of got) times.set(number, (times.get(number) ?? 0) + 1);
  const doubled = [...times].filter(([, n]) => n > 1).map(([number]) => number);
  const lost = Array.from({ length: count }, (_, number) => number).filter((number) => !times.has(number));
  const strange = [...times.keys()].filter((number) => !Number.isInteger(number) || number < 0 || number >= count);
  const late = got.findIndex((number, at) => at > 0 && number < got[at - 1]);
  if (strange.length > 0) throw new Failure('wrong', `${where}: ${list(strange)} arrived`, expected);
  if (lost.length > 0) throw new Failure('lost', `${where}: ${list(lost)} did not arrive`, expected);
  if (doubled.length > 0) throw new Failure('doubled', `${where}: ${list(doubled)} arrived more than once`, expected);
  if (late >= 0) throw new Failure('out of order', `${where}: ${got[late]} arrived after ${got[late - 1]}`, expected);
}

const list = (items) => items.slice(0, 5).map((item) => JSON.stringify(item)).join(', ') + (items.length > 5 ? ` and ${items.length - 5} more` : '');
