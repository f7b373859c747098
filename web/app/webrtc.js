import { supportsWebRtc } from '../client/index.js';

const MISSING = 'Calls cannot be made in this browser: it has no WebRTC, or WebRTC is turned off. On an iPhone, iPad or Mac, '
  + 'Lockdown Mode turns it off (you can exclude a website); in other browsers a setting, an extension or the administrator does.';

/** Why this browser cannot make calls; empty if it can. @param {unknown} [RTCPeerConnection] */
export function whyNoCalls(RTCPeerConnection) {
  return supportsWebRtc(RTCPeerConnection) ? '' : MISSING;
}
