let origins = 0;

/**
 * A session description as native peers write it: each has a different `o=`, contrary to RFC 8829.
 *
 * @param {string | number} connection identified by the fingerprint
 * @param {{ ufrag?: string, origin?: string, lines?: string[] }} [more] the ICE credentials change when ICE is restarted
 */
export function sdp(connection, { ufrag = 'ufrg', origin = `${(origins += 1)} ${origins}`, lines = [] } = {}) {
  const session = [`o=- ${origin} IN IP4 127.0.0.1`, 's=-', 't=0 0', 'a=group:BUNDLE 0'];
  const media = ['m=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'c=IN IP4 0.0.0.0', `a=ice-ufrag:${ufrag}`, ...fingerprint(connection)];
  return ['v=0', ...session, ...media, ...lines, ''].join('\r\n');
}

/** @param {string | number} connection */
export const fingerprint = (connection, hash = 'sha-256') =>
  [`a=fingerprint:${hash} ${Buffer.from(`${connection}`).toString('hex').toUpperCase().replace(/..(?=.)/g, '$&:')}`];

/** @param {{ sdp: string }} description */
export const connectionOf = (description) =>
  Buffer.from(/a=fingerprint:\S+ (\S+)/.exec(description.sdp)[1].replaceAll(':', ''), 'hex').toString();
