import { randomBytes } from 'node:crypto';

/**
 * @typedef {object} Ice
 * @property {string} ufrag
 * @property {string} pwd
 */

/** @returns {Ice} */
export const newIce = () => ({ ufrag: randomBytes(4).toString('hex'), pwd: randomBytes(16).toString('hex') });

/** Of the documentation prefixes (RFC 5737): nobody answers there. */
export const HOSTS = ['a=candidate:1 1 udp 2122260223 192.0.2.7 50000 typ host', 'a=candidate:2 1 udp 2122194687 198.51.100.7 50001 typ host'];

const AUDIO = ['a=rtpmap:111 opus/48000/2', 'a=fmtp:111 minptime=10;useinbandfec=1'];
const VIDEO = ['a=rtpmap:96 VP8/90000', 'a=rtcp-fb:96 ccm fir', 'a=rtcp-fb:96 nack', 'a=rtcp-fb:96 nack pli'];

/**
 * An initial offer as an encoder makes it (RFC 9429, section 5.2.1), with one MediaStream.
 *
 * @param {{ ice?: Ice, direction?: string, setup?: string, kinds?: string[], candidates?: string[], codec?: string[] }} [options] `codec` replaces that of video
 */
export function offer({ ice = newIce(), direction = 'sendonly', setup = 'actpass', kinds = ['audio', 'video'], candidates = [], codec = VIDEO } = {}) {
  const fingerprint = randomBytes(32).toString('hex').toUpperCase().match(/../g)?.join(':');
  const sections = kinds.flatMap((kind, at) => [
    `m=${kind} 9 UDP/TLS/RTP/SAVPF ${kind === 'audio' ? 111 : 96}`,
    ...['c=IN IP4 0.0.0.0', 'a=rtcp:9 IN IP4 0.0.0.0', `a=mid:${at}`, `a=${direction}`],
    ...['a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid', `a=msid:stream ${kind}-${at}`, 'a=rtcp-mux', 'a=rtcp-mux-only'],
    ...(kind === 'audio' ? AUDIO : codec),
    `a=ssrc:${1000 + at} cname:conformance`,
    ...[`a=ice-ufrag:${ice.ufrag}`, `a=ice-pwd:${ice.pwd}`, 'a=ice-options:trickle', `a=fingerprint:sha-256 ${fingerprint}`, `a=setup:${setup}`],
    ...(at === 0 ? candidates : []),
  ]);
  const bundle = `a=group:BUNDLE ${kinds.map((_, at) => at).join(' ')}`;
  return lines(['v=0', `o=- ${Date.now()} 1 IN IP4 127.0.0.1`, 's=-', 't=0 0', bundle, 'a=extmap-allow-mixed', 'a=msid-semantic:WMS *', ...sections]);
}

/**
 * The body of a PATCH (RFC 8840, section 9).
 *
 * @param {Ice} ice
 * @param {string[]} candidates
 */
export function fragment({ ufrag, pwd }, candidates) {
  const media = ['a=group:BUNDLE 0 1', 'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=mid:0', `a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`, 'a=ice-options:trickle'];
  return lines([...media, ...candidates, 'a=end-of-candidates']);
}

/** @param {string[]} all */
const lines = (all) => `${all.join('\r\n')}\r\n`;
