const MISSING = 'Calls cannot be made in this browser: it has no WebRTC, or has it switched off. '
  + 'Lockdown Mode of an iPhone, iPad or Mac switches it off (you can exclude a website from it), in other browsers a setting, '
  + 'an extension or the administrator does.';

/**
 * Why this browser cannot make calls; empty if it can. Some extensions leave a constructor that throws.
 *
 * @param {{ RTCPeerConnection?: unknown }} [world]
 */
export function whyNoCalls(world = globalThis) {
  try {
    const Connection = /** @type {typeof RTCPeerConnection} */ (world.RTCPeerConnection);
    const pc = new Connection();
    const usable = typeof pc.createDataChannel === 'function';
    pc.close();
    return usable ? '' : MISSING;
  } catch {
    return MISSING;
  }
}
