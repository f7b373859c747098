/** @type {Partial<Record<RTCRtpTransceiverDirection, RTCRtpTransceiverDirection>>} */
const WITHOUT = { recvonly: 'inactive', sendrecv: 'sendonly' };
/** @type {Partial<Record<RTCRtpTransceiverDirection, RTCRtpTransceiverDirection>>} */
const WITH = { inactive: 'recvonly', sendonly: 'sendrecv' };

/**
 * Whether a connection receives media. The peer encodes and sends nothing for a direction that is not received.
 *
 * @param {RTCPeerConnection} pc
 * @param {boolean} receive
 */
export function direct(pc, receive) {
  for (const transceiver of pc.getTransceivers()) {
    const direction = (receive ? WITH : WITHOUT)[transceiver.direction];
    if (direction) transceiver.direction = direction;
  }
}
