/**
 * Punycode (RFC 3492): encodes any string in ASCII letters, digits and hyphens. Browsers apply it only to host names,
 * whose rules are not those of room names.
 */

// RFC 3492, section 5.
const BASE = 36;
const T_MIN = 1;
const T_MAX = 26;
const SKEW = 38;
const DAMP = 700;
const INITIAL_BIAS = 72;
const INITIAL_N = 0x80;
const DIGITS = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** @param {string} text well-formed */
export function encode(text) {
  const points = Array.from(text, (character) => /** @type {number} */ (character.codePointAt(0)));
  const basic = points.filter((point) => point < INITIAL_N);
  let output = String.fromCodePoint(...basic) + (basic.length > 0 ? '-' : '');
  let [delta, bias, handled] = [0, INITIAL_BIAS, basic.length];
  for (let n = INITIAL_N; handled < points.length; n += 1, delta += 1) {
    const next = Math.min(...points.filter((point) => point >= n));
    delta += (next - n) * (handled + 1);
    n = next;
    for (const point of points) {
      if (point < n) delta += 1;
      if (point !== n) continue;
      output += digitsOf(delta, bias);
      bias = adapt(delta, handled + 1, handled === basic.length);
      delta = 0;
      handled += 1;
    }
  }
  return output;
}

/**
 * Null if it is not Punycode.
 *
 * @param {string} encoded
 */
export function decode(encoded) {
  const hyphen = encoded.lastIndexOf('-');
  const points = Array.from(encoded.slice(0, Math.max(0, hyphen)), (character) => character.charCodeAt(0));
  const basic = points.length;
  let [n, i, bias, at] = [INITIAL_N, 0, INITIAL_BIAS, hyphen + 1];
  while (at < encoded.length) {
    const before = i;
    for (let weight = 1, k = BASE; ; k += BASE) {
      const digit = at < encoded.length ? DIGITS.indexOf(encoded[at]) : -1;
      at += 1;
      if (digit < 0) return null;
      i += digit * weight;
      if (i > Number.MAX_SAFE_INTEGER) return null;
      const t = threshold(k, bias);
      if (digit < t) break;
      weight *= BASE - t;
    }
    bias = adapt(i - before, points.length + 1, points.length === basic);
    n += Math.floor(i / (points.length + 1));
    i %= points.length + 1;
    if (n > 0x10ffff) return null;
    points.splice(i, 0, n);
    i += 1;
  }
  return String.fromCodePoint(...points);
}

/**
 * A generalized variable-length integer.
 *
 * @param {number} delta
 * @param {number} bias
 */
function digitsOf(delta, bias) {
  let output = '';
  let q = delta;
  for (let k = BASE; ; k += BASE) {
    const t = threshold(k, bias);
    if (q < t) return output + DIGITS[q];
    output += DIGITS[t + ((q - t) % (BASE - t))];
    q = Math.floor((q - t) / (BASE - t));
  }
}

/** @param {number} k @param {number} bias */
function threshold(k, bias) {
  return Math.min(Math.max(k - bias, T_MIN), T_MAX);
}

/**
 * @param {number} delta
 * @param {number} length of the text so far
 * @param {boolean} first
 */
function adapt(delta, length, first) {
  let rest = first ? Math.floor(delta / DAMP) : Math.floor(delta / 2);
  rest += Math.floor(rest / length);
  let k = 0;
  for (; rest > ((BASE - T_MIN) * T_MAX) / 2; k += BASE) rest = Math.floor(rest / (BASE - T_MIN));
  return k + Math.floor(((BASE - T_MIN + 1) * rest) / (rest + SKEW));
}
