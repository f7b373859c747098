import { iceError } from './errors.js';

/** @import { IceError } from './errors.js' */

/** More would only be repetitions, one for each of the machine's addresses. */
const MAX_ERRORS = 50;

/** @type {WeakMap<RTCPeerConnection, IceError[]>} */
const errors = new WeakMap();

/**
 * An RTCPeerConnection that remembers the errors of gathering candidates. Not a subclass, because this module has to load
 * even where there is no RTCPeerConnection.
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
      if (seen.length < MAX_ERRORS) seen.push(iceError(event));
    });
    return pc;
  }
);

/** @param {RTCPeerConnection | null} pc */
export function errorsOf(pc) {
  return (pc && errors.get(pc)) ?? [];
}
