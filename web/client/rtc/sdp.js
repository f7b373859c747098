/**
 * What is read from session descriptions. `o=` is not: native peers write a new one into each description, against
 * RFC 8829, section 5.2.2.
 */

/**
 * Do two descriptions belong to different RTCPeerConnections? A new connection has a new certificate, so no fingerprint
 * stays; an ICE restart changes the ICE credentials and keeps the fingerprints (RFC 8842, sections 3.1 and 4; RFC 8839,
 * section 4.4.1.1). If an application uses one certificate for all its connections, `a=tls-id` distinguishes them, if
 * present. Otherwise they count as one.
 *
 * @param {string} before
 * @param {string} now
 */
export function isOtherConnection(before, now) {
  return areDisjoint(fingerprints(before), fingerprints(now)) || areDisjoint(values(before, 'tls-id'), values(now, 'tls-id'));
}

/**
 * May a candidate belong to a description? One without a username fragment is for the description in force (W3C WebRTC,
 * section 4.8).
 *
 * @param {RTCIceCandidateInit | null} candidate
 * @param {string} sdp
 */
export function belongs(candidate, sdp) {
  const ufrag = ufragOf(candidate);
  const ufrags = values(sdp, 'ice-ufrag');
  return ufrag === null || ufrags.size === 0 || ufrags.has(ufrag);
}

/**
 * The username fragment of the description that a candidate belongs to, if it names it.
 *
 * @param {RTCIceCandidateInit | null} candidate
 */
export function ufragOf(candidate) {
  return candidate?.usernameFragment || (/\bufrag (\S+)/.exec(String(candidate?.candidate))?.[1] ?? null);
}

/**
 * A candidate of a peer as browsers take it. They take an empty fragment for that of another description, and refuse one that is in no section:
 * all media is bundled, so it is for the first.
 *
 * @param {RTCIceCandidateInit} candidate
 */
export function placed(candidate) {
  const { candidate: line, sdpMid = null, sdpMLineIndex = null, usernameFragment } = candidate;
  const isNowhere = Boolean(line) && sdpMid === null && sdpMLineIndex === null;
  return { ...candidate, ...(usernameFragment === '' && { usernameFragment: null }), ...(isNowhere && { sdpMLineIndex: 0 }) };
}

/**
 * The candidates in a description (RFC 8839, section 5.1).
 *
 * @param {string} sdp
 * @returns {RTCIceCandidateInit[]}
 */
export function candidatesIn(sdp) {
  const sections = sdp.split(/^m=/m).slice(1);
  return sections.flatMap((section, sdpMLineIndex) => [...section.matchAll(/^a=(candidate:.+)$/gm)].map(([, candidate]) => ({ candidate, sdpMLineIndex })));
}

/**
 * Do two descriptions of one end have the same ICE credentials?
 *
 * @param {string} before
 * @param {string} now
 */
export function hasSameIce(before, now) {
  return [...values(before, 'ice-ufrag')].join(' ') === [...values(now, 'ice-ufrag')].join(' ');
}

/**
 * Does an offer only repeat an earlier one, with the candidates known by then? One with another `o=` is a new offer, which
 * has to be answered.
 *
 * @param {string} before
 * @param {string} now
 */
export function isRepetition(before, now) {
  return essence(before) === essence(now);
}

/**
 * An offer that states this end's DTLS role instead of leaving it to the answerer. As the DTLS server, the answerer gives
 * its own data channels odd ids (RFC 8832, section 6), so none collides with the negotiated channel, whose id is 0. Later
 * offers keep the role.
 *
 * @param {string} sdp
 * @param {DtlsRole} role
 */
export function offerAs(sdp, role) {
  return sdp.replace(/^a=setup:actpass/gm, `a=setup:${role}`);
}

/**
 * The DTLS role that the sender of an answer takes.
 *
 * @typedef {'active' | 'passive'} DtlsRole
 * @param {string} sdp
 * @returns {DtlsRole | undefined}
 */
export function roleIn(sdp) {
  return /** @type {DtlsRole | undefined} */ (/^a=setup:(active|passive)/m.exec(sdp)?.[1]);
}

/** Without the parts that change while candidates are gathered (RFC 8829, sections 5.2.1 and 5.2.2). @param {string} sdp */
function essence(sdp) {
  const lines = sdp.split(/\r\n|\r|\n/).filter((line) => !/^(c=|a=candidate:|a=end-of-candidates|a=rtcp:)/.test(line));
  return lines.map((line) => line.replace(/^(m=\S+) [1-9]\d*/, '$1 9')).join('\n');
}

/** Hash names and hexadecimal digits are case-insensitive (RFC 8122, section 5). @param {string} sdp */
function fingerprints(sdp) {
  return new Set([...sdp.matchAll(/^a=fingerprint:[ \t]*(\S+)[ \t]+(\S+)/gim)].map(([, hash, value]) => `${hash} ${value}`.toLowerCase()));
}

/**
 * @param {string} sdp
 * @param {'ice-ufrag' | 'tls-id'} attribute at session or media level
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
