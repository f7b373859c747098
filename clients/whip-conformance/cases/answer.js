import { HOSTS, offer } from '../kit/offer.js';
import { attribute, candidates, directionOf, inherited, read } from '../kit/sdp.js';
import { check } from '../kit/verdict.js';

/** @import { Case } from './index.js' */

const accepted = (/** @type {import('../kit/subject.js').Session} */ { answer }) => answer.sections.filter(({ lines, port }) => port !== 0 || attribute(lines, 'bundle-only') !== undefined);

/**
 * A rule that each section of the answer has to keep.
 *
 * @param {Pick<Case, 'id' | 'section' | 'level' | 'rule'>} about
 * @param {(section: import('../kit/sdp.js').Section, session: import('../kit/subject.js').Session) => [unknown, string]} look
 * @returns {Case}
 */
const each = (about, look) => ({
  ...about,
  run: async (subject) => {
    const session = await subject.begin();
    const sections = accepted(session);
    check(sections.length > 0, 'no section was accepted', 'audio and video');
    for (const section of sections) {
      const [holds, seen] = look(section, session);
      check(holds, `${section.kind}: ${seen}`, about.rule);
    }
    return `${sections.length} sections`;
  },
});

/** @type {Case[]} What is in the answer: sections 4.2, 4.3.2 and 4.4. */
export const answer = [
  {
    id: 'sections', section: '4.2', level: 'MUST',
    rule: 'the answer has the sections of the offer, in order and with their mids (RFC 9429, section 5.3.1)',
    run: async (subject) => {
      const { answer: { sections } } = await subject.begin();
      const seen = sections.map(({ kind, lines }) => `${kind} ${attribute(lines, 'mid')}`).join(', ');
      check(seen === 'audio 0, video 1', seen || 'no section', 'audio 0, video 1');
      return seen;
    },
  },
  each({ id: 'transport', section: '4.2', level: 'MUST', rule: 'each section has ICE credentials, a fingerprint and a DTLS role' }, (section, { answer: all }) => {
    const missing = ['ice-ufrag', 'ice-pwd', 'fingerprint', 'setup'].filter((name) => !inherited(all, section, name));
    const setup = inherited(all, section, 'setup');
    return [missing.length === 0 && ['active', 'passive'].includes(setup ?? ''), missing.length > 0 ? `no ${missing.join(', ')}` : `setup:${setup}`];
  }),
  each({ id: 'recvonly', section: '4.2', level: 'MUST', rule: 'recvonly answers sendonly' }, ({ lines }) => [directionOf(lines) === 'recvonly', directionOf(lines) ?? 'no direction, which is sendrecv']),
  {
    id: 'recvonly-to-sendrecv', section: '4.2', level: 'MUST',
    rule: 'recvonly answers sendrecv, too',
    run: async (subject) => {
      const session = await subject.begin({ direction: 'sendrecv' });
      const seen = accepted(session).map(({ lines }) => directionOf(lines) ?? 'no direction, which is sendrecv');
      check(seen.length > 0 && seen.every((one) => one === 'recvonly'), seen.join(', '), 'recvonly');
      return seen.join(', ');
    },
  },
  {
    id: 'all-candidates', section: '4.3.2', level: 'SHALL',
    rule: 'the answer has all candidates of the server, which cannot send any later',
    run: async (subject) => {
      const { answer: { sections } } = await subject.begin();
      const found = sections.flatMap(({ lines }) => candidates(lines));
      check(found.length > 0, 'no candidate', 'at least one');
      return `${found.length} candidates`;
    },
  },
  {
    id: 'gathered-offer', section: '4.3.2', level: 'MAY',
    rule: 'an offer may have all its candidates already',
    run: async (subject) => {
      await subject.begin({ candidates: [...HOSTS, 'a=end-of-candidates'] });
      return '201';
    },
  },
  {
    id: 'bundle', section: '4.4.1', level: 'SHALL',
    rule: 'all sections are bundled',
    run: async (subject) => {
      const session = await subject.begin();
      const group = session.answer.session.find((line) => line.startsWith('a=group:BUNDLE'));
      const mids = accepted(session).map(({ lines }) => attribute(lines, 'mid'));
      check(mids.length > 0, 'no section was accepted', 'audio and video');
      check(mids.every((mid) => group?.split(' ').includes(mid ?? '')), group ?? 'no group', `a=group:BUNDLE ${mids.join(' ')}`);
      return group;
    },
  },
  each({ id: 'rtcp-mux', section: '4.4.1', level: 'SHALL', rule: 'rtcp-mux in each section' }, ({ lines }) => [attribute(lines, 'rtcp-mux') !== undefined, 'no rtcp-mux']),
  each({ id: 'rtcp-mux-only', section: '4.4.1', level: 'MUST', rule: 'rtcp-mux-only in each section' }, ({ lines }) => [attribute(lines, 'rtcp-mux-only') !== undefined, 'no rtcp-mux-only']),
  {
    id: 'two-videos', section: '4.4.2', level: 'MUST',
    rule: 'more tracks than are supported are refused with 422 or 400',
    run: async (subject) => {
      const { response } = await subject.post(offer({ kinds: ['video', 'video'] }));
      return wholeOrRefused(response, 2);
    },
  },
  {
    id: 'no-partial-success', section: '4.4.3', level: 'SHOULD NOT',
    rule: 'no section is rejected alone: the offer is refused with 422 or 400',
    run: async (subject) => {
      const { response } = await subject.post(offer({ codec: ['a=rtpmap:96 conformance-none/90000'] }));
      return wholeOrRefused(response, 2);
    },
  },
  {
    id: 'setup-active', section: '4.4.4', level: 'SHOULD',
    rule: 'an offer that is the DTLS client is answered as the server, or refused with 422 or 400',
    run: async (subject) => {
      const { response } = await subject.post(offer({ setup: 'active' }));
      if (response.status === 201) check(/^a=setup:passive/m.test(response.body), /^a=setup:.*$/m.exec(response.body)?.[0] ?? 'no setup', 'a=setup:passive');
      else check([422, 400].includes(response.status), String(response.status), '201, 422 or 400');
      return String(response.status);
    },
  },
];

/**
 * @param {import('../kit/http.js').Answered} response
 * @param {number} wanted sections
 */
function wholeOrRefused({ status, body }, wanted) {
  if (status !== 201) {
    check([422, 400].includes(status), String(status), '422 or 400');
    return String(status);
  }
  const { sections } = read(body);
  const rejected = sections.filter(({ port, lines }) => port === 0 && attribute(lines, 'bundle-only') === undefined);
  check(rejected.length === 0 && sections.length === wanted, `201, with ${rejected.length} of ${sections.length} sections rejected`, `201 with all ${wanted}, or 422`);
  return '201, with all sections';
}
