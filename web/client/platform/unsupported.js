/** @import { Unsupported as U } from '../types.d.ts' */

/** What is missing, by code. */
const TEXTS = {
  'webrtc-missing': 'This browser has no usable RTCPeerConnection, so no call can be made: WebRTC is missing or switched off.',
  'webcrypto-missing': 'A sealed room needs WebCrypto, which browsers have only on https: and on localhost.',
  'media-stream-missing': 'A track without a stream cannot be shown: there is no MediaStream constructor.',
};

/**
 * The browser lacks something that this needs.
 *
 * @implements {U}
 */
export class Unsupported extends Error {
  /** @param {keyof typeof TEXTS} code */
  constructor(code) {
    super(TEXTS[code]);
    this.name = 'Unsupported';
    this.code = code;
  }
}
