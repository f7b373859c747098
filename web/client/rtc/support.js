/**
 * Can connections be made? Some extensions leave a constructor that throws, so this makes one.
 *
 * @param {unknown} [RTCPeerConnection]
 */
export function supportsWebRtc(RTCPeerConnection = globalThis.RTCPeerConnection) {
  try {
    const pc = new /** @type {typeof globalThis.RTCPeerConnection} */ (RTCPeerConnection)();
    const usable = typeof pc.createDataChannel === 'function';
    pc.close();
    return usable;
  } catch {
    return false;
  }
}
