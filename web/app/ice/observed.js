import { iceError } from './errors.js';

/** @import { IceError } from './errors.js' */

/** The rest are repetitions, from each of the machine's addresses. */
const KEPT = 50;

/** @type {WeakMap<RTCPeerConnection, IceError[]>} */
const errors = new WeakMap();

/**
 * An RTCPeerConnection that remembers what failed while it gathered candidates. Not derived from it: where a browser
 * has none, this module has to load all the same, to say so.
 *
 * @type {new (configuration?: RTCConfiguration) => RTCPeerConnection}
 */
export const ObservedConnection = /** @type {any} */ (
  /** @param {RTCConfiguration} [configuration] */
  function ObservedConnection(configuration) {
    const pc = new RTCPeerConnection(configuration);
    /** @type {IceError[]} */
    const seen = [];
    errors.set(pc, seen);
    pc.addEventListener('icecandidateerror', (event) => {
      if (seen.length < KEPT) seen.push(iceError(event));
    });
    return pc;
  }
);

/** @param {RTCPeerConnection | null} pc */
export function errorsOf(pc) {
  return (pc && errors.get(pc)) ?? [];
}
