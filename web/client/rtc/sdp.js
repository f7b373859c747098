/** What is read out of session descriptions. `o=` is not: native peers write a new one into each description. */

/**
 * Whether a description belongs to another RTCPeerConnection than one that came before it. A new connection has a new
 * certificate, so no fingerprint stays; an ICE restart changes the ICE credentials and keeps the fingerprints
 * (RFC 8842, 3.1 and 4; RFC 8839, 4.4.1.1). An application may give the same certificate to all its connections: then
 * `a=tls-id` tells them apart, where there is one. What cannot be told apart is the same.
 *
 * @param {string} before
 * @param {string} now
 */
export function isOtherConnection(before, now) {
  return areDisjoint(fingerprints(before), fingerprints(now)) || areDisjoint(values(before, 'tls-id'), values(now, 'tls-id'));
}

/**
 * Whether a candidate may belong to a description. One that does not say is for whichever is in force (W3C WebRTC 4.8).
 *
 * @param {RTCIceCandidateInit | null} candidate
 * @param {string} sdp
 */
export function belongs(candidate, sdp) {
  const said = candidate?.usernameFragment ?? /\bufrag (\S+)/.exec(String(candidate?.candidate))?.[1] ?? null;
  const ufrags = values(sdp, 'ice-ufrag');
  return said === null || ufrags.size === 0 || ufrags.has(said);
}

/**
 * Whether an offer only says again what another said, with the candidates known by then. One with another `o=` is a new
 * offer that somebody wants an answer to.
 *
 * @param {string} before
 * @param {string} now
 */
export function isRepetition(before, now) {
  return essence(before) === essence(now);
}

/**
 * An offer that says which DTLS role this end has or wants, instead of leaving that to the other. Who is the DTLS server gives
 * odd numbers to its channels (RFC 8832, 6), and so never the 0 that both ends agree on for ours. Later on a role
 * stays what it is.
 *
 * @param {string} sdp
 * @param {DtlsRole} role
 */
export function offerAs(sdp, role) {
  return sdp.replace(/^a=setup:actpass/gm, `a=setup:${role}`);
}

/**
 * The role that an answer gives to whoever made it.
 *
 * @typedef {'active' | 'passive'} DtlsRole
 * @param {string} sdp
 * @returns {DtlsRole | undefined}
 */
export function roleIn(sdp) {
  return /** @type {DtlsRole | undefined} */ (/^a=setup:(active|passive)/m.exec(sdp)?.[1]);
}

/** Without what changes while candidates are gathered (RFC 8829, 5.2.1 and 5.2.2). @param {string} sdp */
function essence(sdp) {
  const lines = sdp.split(/\r\n|\r|\n/).filter((line) => !/^(c=|a=candidate:|a=end-of-candidates|a=rtcp:)/.test(line));
  return lines.map((line) => line.replace(/^(m=\S+) [1-9]\d*/, '$1 9')).join('\n');
}

/** Names of hash functions and hexadecimal digits may have any case (RFC 8122, 5). @param {string} sdp */
function fingerprints(sdp) {
  return new Set([...sdp.matchAll(/^a=fingerprint:[ \t]*(\S+)[ \t]+(\S+)/gim)].map(([, hash, value]) => `${hash} ${value}`.toLowerCase()));
}

/**
 * @param {string} sdp
 * @param {'ice-ufrag' | 'tls-id'} attribute of the session or of its media
 */
function values(sdp, attribute) {
  return new Set([...sdp.matchAll(new RegExp(`^a=${attribute}:[ \\t]*(\\S+)`, 'gm'))].map(([, value]) => value));
}

/**
 * @param {Set<string>} some
 * @param {Set<string>} others
 */
function areDisjoint(some, others) {
  return some.size > 0 && others.size > 0 && ![...some].some((one) => others.has(one));
}
