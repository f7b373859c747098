import { iceError } from './errors.js';

/** @import { IceError } from './errors.js' */

/** The rest are repetitions, from each of the machine's addresses. */
const KEPT = 50;

/** An RTCPeerConnection that remembers what failed while it gathered candidates. */
export class ObservedConnection extends RTCPeerConnection {
  /** @type {IceError[]} */
  errors = [];

  /** @param {RTCConfiguration} [configuration] */
  constructor(configuration) {
    super(configuration);
    this.addEventListener('icecandidateerror', (event) => {
      if (this.errors.length < KEPT) this.errors.push(iceError(event));
    });
  }
}
