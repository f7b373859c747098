import { Problem, Unreachable } from './problem.js';

/** @import { ApiRequest, ApiResponse, Environment, ProblemDocument } from '../types.d.ts' */

const TIMEOUT_MS = 15_000;

/**
 * Sends one request; nothing else in the client calls `fetch`, except for the beacon. Throws a {@link Problem} if the server
 * refuses, {@link Unreachable} if no response of the server arrives, and the signal's reason if that is aborted.
 *
 * @param {Pick<Environment, 'fetch' | 'clock'>} env
 * @param {ApiRequest} ask
 * @returns {Promise<ApiResponse>}
 */
export async function request(env, ask) {
  if (ask.signal?.aborted) throw ask.signal.reason;
  const controller = new AbortController();
  const stop = () => controller.abort();
  const cancel = env.clock.after(ask.timeoutMs ?? TIMEOUT_MS, stop);
  ask.signal?.addEventListener('abort', stop);
  try {
    return await answer(await env.fetch(ask.url, init(ask, controller.signal)), ask.expects, env.clock);
  } catch (error) {
    if (ask.signal?.aborted) throw ask.signal.reason;
    if (error instanceof Problem || error instanceof Unreachable) throw error;
    throw new Unreachable(controller.signal.aborted ? 'timeout' : 'network', { cause: error });
  } finally {
    cancel();
    ask.signal?.removeEventListener('abort', stop);
  }
}

/**
 * @param {ApiRequest} ask
 * @param {AbortSignal} signal
 * @returns {RequestInit}
 */
function init({ method, token, body, key, cursor, keepalive }, signal) {
  /** @type {Record<string, string>} */
  const headers = { Accept: 'application/json' };
  if (token !== undefined) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (key !== undefined) headers['Idempotency-Key'] = key;
  if (cursor !== undefined) headers['Last-Event-ID'] = String(cursor);
  // No `cache: 'no-store'`: responses have it already, and Chromium would send a preflight each time.
  return { method, headers, body, signal, keepalive };
}

/**
 * @param {Response} response
 * @param {string | undefined} expects
 * @param {Environment['clock']} clock
 * @returns {Promise<ApiResponse>}
 */
async function answer(response, expects, clock) {
  const text = await response.text();
  if (response.ok) {
    const body = parse(response, text);
    // A portal's page is not empty.
    const genuine = expects === undefined ? text === '' : body?.[expects] !== undefined;
    return genuine ? { status: response.status, body, date: response.headers.get('Date') } : foreign(response, clock);
  }
  throw problem(response, text, clock) ?? foreign(response, clock);
}

/**
 * @param {Response} response
 * @param {string} text
 * @returns {any} undefined unless it is JSON
 */
function parse(response, text) {
  if (!/\bjson\b/i.test(response.headers.get('Content-Type') ?? '')) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * @param {Response} response
 * @param {string} text
 * @param {Environment['clock']} clock
 */
function problem(response, text, clock) {
  const document = /** @type {ProblemDocument | undefined} */ (parse(response, text));
  // Intermediaries may use RFC 9457, too; only these problems are the server's.
  if (typeof document?.type === 'string' && document.type.includes('/problems/')) {
    return new Problem({ ...document, status: response.status }, retryAfter(response, clock));
  }
  // A proxy's size limit is as final as the server's.
  if (response.status === 413) {
    return new Problem({ type: '/problems/body-too-large', title: 'Too large for a proxy', status: 413 });
  }
  return undefined;
}

/**
 * @param {Response} response
 * @param {Environment['clock']} clock
 * @returns {never}
 */
function foreign(response, clock) {
  const reason = response.status >= 500 ? 'gateway' : 'foreign';
  throw new Unreachable(reason, { status: response.status, retryAfterMs: retryAfter(response, clock) });
}

/**
 * `Retry-After` (RFC 9110, section 10.2.3) in milliseconds: from seconds, or from a date, which is compared with the
 * response's `Date` if there is one. Null if it is invalid.
 *
 * @param {Response} response
 * @param {Environment['clock']} clock
 */
function retryAfter({ headers }, clock) {
  const value = headers.get('Retry-After') ?? '';
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  // `Date.parse` accepts much more, such as a negative number.
  const until = /^[A-Z][a-z]+,? .* \d\d:\d\d:\d\d/.test(value) ? Date.parse(value) : NaN;
  const now = Date.parse(headers.get('Date') ?? '');
  const ms = until - (Number.isNaN(now) ? clock.date() : now);
  return ms > 0 ? ms : null;
}
