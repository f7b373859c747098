import { supportsWebRtc } from '../client/index.js';
import { say } from './languages/say.js';

/** Why this browser cannot make calls; empty if it can. @param {unknown} [RTCPeerConnection] */
export function whyNoCalls(RTCPeerConnection) {
  return supportsWebRtc(RTCPeerConnection) ? '' : say('no-webrtc');
}
