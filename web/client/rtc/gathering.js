/** @import { Environment } from '../types.d.ts' */

/** A STUN or TURN server that does not answer must not hold up the description: it is sent with what was found. */
const LONGEST_MS = 4_000;

/**
 * Resolves when all candidates are in the local description, or after a while.
 *
 * @param {Pick<Environment, 'clock'>} env
 * @param {RTCPeerConnection} pc
 * @returns {Promise<void>}
 */
export function gathered({ clock }, pc) {
  return new Promise((resolve) => {
    const end = () => {
      cancel();
      pc.onicegatheringstatechange = null;
      resolve();
    };
    const cancel = clock.after(LONGEST_MS, end);
    pc.onicegatheringstatechange = () => void (pc.iceGatheringState === 'complete' && end());
    // After a restart of ICE it is complete as before, until the browser begins again.
    if (pc.iceGatheringState === 'complete' && /^a=candidate:/m.test(pc.localDescription?.sdp ?? '')) end();
  });
}
