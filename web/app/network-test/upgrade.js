import { BASE } from '../base.js';
import { Problem, environment, request } from '../../client/index.js';
import { say } from '../languages/say.js';

/** @import { Judgement } from './outcome.js' */

const PATH = `${BASE}v1/probe/upgrade`;
const PATIENCE_MS = 10_000;
/** RFC 6455, section 7.4.1. */
const NORMAL_CLOSURE = 1000;

/**
 * Does a WebSocket open? Signalpost needs none, but this tells what kind of network it is.
 *
 * @param {AbortSignal} signal
 * @returns {Promise<Judgement>}
 */
export async function testUpgrade(signal) {
  if (typeof WebSocket === 'undefined') return () => ({ grade: 'unknown', words: say('sockets-missing'), figures: { upgrades: null } });
  const opened = await opens(new URL(PATH, location.href.replace(/^http/, 'ws')), signal);
  if (opened) return () => ({ grade: 'good', words: say('sockets-good'), figures: { upgrades: true } });
  // The path is to blame only if the server would have accepted the upgrade.
  if (!await responds(signal)) return () => ({ grade: 'unknown', words: say('sockets-unknown'), figures: { upgrades: null } });
  return () => ({ grade: 'fair', words: say('sockets-blocked'), figures: { upgrades: false } });
}

/** Does the server answer an ordinary request, in its own words? @param {AbortSignal} signal */
export async function responds(signal) {
  const refusal = await request(environment({}), { method: 'GET', url: PATH, signal }).catch((error) => error);
  return refusal instanceof Problem && refusal.slug === 'malformed-request';
}

/** @param {URL} url @param {AbortSignal} signal */
function opens(url, signal) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    const end = (/** @type {boolean} */ opened) => {
      clearTimeout(timer);
      resolve(opened);
      socket.close();
    };
    const timer = setTimeout(() => end(false), PATIENCE_MS);
    socket.onopen = () => end(true);
    // The server accepts and closes at once. If both come in one segment, Firefox reports only the close, as a normal one.
    socket.onclose = ({ code }) => end(code === NORMAL_CLOSURE);
    signal.addEventListener('abort', () => (socket.close(), reject(signal.reason)));
  });
}
