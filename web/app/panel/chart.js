import { say } from '../languages/say.js';

/** The number of samples in a chart. */
export const SPAN = 120;
const HEIGHT = 32;

/**
 * A figure with a chart.
 *
 * @typedef {object} Figure
 * @property {'round-trip' | 'received' | 'sent' | 'loss'} label the key of its name
 * @property {keyof import('./flow.js').Flow} member
 * @property {number} least the smallest value of the chart's full height, so that small values look small
 * @property {(value: number) => string} words
 */

/** @type {Figure[]} */
export const FIGURES = [
  { label: 'round-trip', member: 'roundTripMs', least: 50, words: (value) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms` },
  { label: 'received', member: 'receivedKbps', least: 100, words: rate },
  { label: 'sent', member: 'sentKbps', least: 100, words: rate },
  { label: 'loss', member: 'lossPercent', least: 5, words: (value) => `${value.toFixed(value < 10 ? 1 : 0)} %` },
];

/** @param {number} kbps */
function rate(kbps) {
  return kbps < 1_000 ? `${Math.round(kbps)} kbit/s` : `${(kbps / 1_000).toFixed(1)} Mbit/s`;
}

/**
 * An SVG path through the values, the newest at the right edge. Unknown values leave gaps.
 *
 * @param {(number | null)[]} values
 * @param {number} least
 */
export function pathOf(values, least) {
  const top = Math.max(least, ...values.map((value) => value ?? 0));
  let pen = 'M';
  return values.map((value, at) => {
    if (value === null) {
      pen = 'M';
      return '';
    }
    const point = `${pen}${SPAN - values.length + at + 1} ${(HEIGHT - 1 - (value / top) * (HEIGHT - 2)).toFixed(1)}`;
    pen = 'L';
    return point;
  }).join('');
}

/**
 * The chart in words, for screen readers.
 *
 * @param {Figure} figure
 * @param {(number | null)[]} values
 */
export function describe({ label: key, words }, values) {
  const label = say(key);
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return say('figure-unknown', { label });
  const now = values.at(-1) ?? null;
  return say('figure', { label, count: values.length, now: now === null ? say('unknown') : words(now), most: words(Math.max(...known)) });
}
