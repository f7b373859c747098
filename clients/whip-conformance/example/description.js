import { randomBytes } from 'node:crypto';

import { attribute, directionOf, read } from '../kit/sdp.js';

const CODECS = /^a=rtpmap:\d+ (opus|VP8)\//m;
const CANDIDATE = 'a=candidate:1 1 udp 2130706431 203.0.113.7 3478 typ host';

export const newCredentials = () => ({ ufrag: randomBytes(4).toString('hex'), pwd: randomBytes(16).toString('hex') });

/** Is this an offer with all that it needs? @param {string} text */
export function isOffer(text) {
  const { session, sections } = read(text);
  return session[0] === 'v=0' && sections.length > 0 && sections.every(({ lines }) => ['mid', 'fingerprint', 'setup'].every((name) => attribute([...session, ...lines], name)));
}

/**
 * The answer to an offer; null if one of its sections would have to be rejected.
 *
 * @param {string} text
 * @param {{ ufrag: string, pwd: string }} credentials
 * @param {(defect: string) => boolean} has
 */
export function answerTo(text, { ufrag, pwd }, has) {
  const { session, sections } = read(text);
  if (!has('no-partial-success') && !sections.every(({ lines }) => CODECS.test(lines.join('\n')))) return null;
  const active = attribute([...session, ...sections[0].lines], 'setup') === 'active';
  const answered = (has('sections') ? [...sections].reverse() : sections).flatMap(({ kind, formats, lines }) => {
    const direction = has('recvonly') || (has('recvonly-to-sendrecv') && directionOf(lines) === 'sendrecv') ? 'sendrecv' : 'recvonly';
    const known = CODECS.test(lines.join('\n'));
    return [
      `m=${kind} ${known ? 9 : 0} UDP/TLS/RTP/SAVPF ${formats.join(' ')}`,
      ...['c=IN IP4 0.0.0.0', `a=mid:${attribute(lines, 'mid')}`, `a=${direction}`],
      ...(has('rtcp-mux') ? [] : ['a=rtcp-mux']),
      ...(has('rtcp-mux-only') ? [] : ['a=rtcp-mux-only']),
      ...lines.filter((line) => line.startsWith('a=rtpmap:')),
      ...[`a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`],
      ...(has('transport') ? [] : ['a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF']),
      `a=setup:${active && has('setup-active') ? 'active' : 'passive'}`,
      ...(has('all-candidates') ? [] : [CANDIDATE, 'a=end-of-candidates']),
    ];
  });
  const bundle = has('bundle') ? [] : [`a=group:BUNDLE ${sections.map(({ lines }) => attribute(lines, 'mid')).join(' ')}`];
  return lines(['v=0', 'o=- 1 1 IN IP4 203.0.113.7', 's=-', 't=0 0', ...bundle, 'a=ice-lite', 'a=ice-options:trickle', ...answered]);
}

/** @param {{ ufrag: string, pwd: string }} credentials @param {(defect: string) => boolean} has */
export function restarted({ ufrag, pwd }, has) {
  const lite = has('restart-ice-lite') ? [] : ['a=ice-lite'];
  const options = has('restart-ice-options') ? [] : ['a=ice-options:trickle'];
  const pacing = has('restart-ice-pacing') ? ['a=ice-pacing:50'] : [];
  return lines([...lite, ...options, ...pacing, 'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=mid:0', `a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`, CANDIDATE, 'a=end-of-candidates']);
}

/** @param {string[]} all */
const lines = (all) => `${all.join('\r\n')}\r\n`;
