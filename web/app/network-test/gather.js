import { iceError } from '../ice/errors.js';

/** @import { IceError } from '../ice/errors.js' */

/** Browsers give up on a silent server after about ten seconds. */
const PATIENCE_MS = 15_000;

/**
 * @typedef {object} Gathered
 * @property {RTCIceCandidate[]} candidates
 * @property {IceError[]} errors
 * @property {boolean} complete no more candidates will follow
 * @property {number} tookMs
 */

/**
 * Gathers candidates until a wanted one is found or there are no more.
 *
 * @param {RTCIceServer[]} iceServers
 * @param {(candidate: RTCIceCandidate) => boolean} wanted
 * @param {AbortSignal} signal
 * @returns {Promise<Gathered>}
 */
export async function gather(iceServers, wanted, signal) {
  const pc = new RTCPeerConnection({ iceServers });
  const started = performance.now();
  /** @type {Gathered} */
  const found = { candidates: [], errors: [], complete: false, tookMs: 0 };
  try {
    await new Promise((resolve, reject) => {
      pc.addEventListener('icecandidateerror', (event) => found.errors.push(iceError(event)));
      pc.onicecandidate = ({ candidate }) => {
        if (candidate?.candidate) found.candidates.push(candidate);
        else found.complete = true;
        if (found.complete || (candidate && wanted(candidate))) resolve(undefined);
      };
      setTimeout(resolve, PATIENCE_MS);
      signal.addEventListener('abort', () => reject(signal.reason));
      pc.createDataChannel('test');
      pc.setLocalDescription().catch(reject);
    });
  } finally {
    pc.close();
  }
  return { ...found, tookMs: performance.now() - started };
}
