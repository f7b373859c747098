import { HOSTS, fragment, newIce } from '../kit/offer.js';
import { attribute, read } from '../kit/sdp.js';
import { NotApplicable, check, is2xx, is4xx } from '../kit/verdict.js';

/** @import { Case } from './index.js' */
/** @import { Session, Subject } from '../kit/subject.js' */

/** @param {Subject} subject @param {Session} session */
const trickles = (subject, session) => subject.patch(session, fragment(session.ice, HOSTS));

/** A session of a server that takes candidates. @param {Subject} subject */
async function trickling(subject) {
  const session = await subject.begin();
  const response = await trickles(subject, session);
  if (UNSUPPORTED.has(response.status)) throw new NotApplicable(`no Trickle ICE (${response.status})`);
  return { session, response };
}

/** A session after a restart of ICE. @param {Subject} subject */
async function restarted(subject) {
  const session = await subject.begin();
  const ice = newIce();
  const response = await subject.patch(session, fragment(ice, HOSTS), { match: '*' });
  if (UNSUPPORTED.has(response.status)) throw new NotApplicable(`no ICE restart (${response.status})`);
  check(response.status === 200, `${response.status} ${response.body.slice(0, 200)}`, '200');
  return { session, response, ice, fragment: read(response.body) };
}

/** By which a server says that it does not do this at all (RFC 9110, sections 15.5.6, 15.5.21 and 15.6.2). */
const UNSUPPORTED = new Set([405, 422, 501]);
const isStrong = (/** @type {string | undefined} */ tag) => /^"[\x21\x23-\x7e\x80-\xff]*"$/.test(tag ?? '');

/** What both descriptions have to say alike. @param {{ session: string[], sections: { lines: string[] }[] }} description @param {string} name */
const said = ({ session, sections }, name) => attribute([...session, ...sections.flatMap(({ lines }) => lines)], name);

/** @type {Case[]} Sections 4.3.1 to 4.3.3: Trickle ICE and ICE restarts. */
export const patch = [
  {
    id: 'patch-type', section: '4.3.1', level: 'MUST',
    rule: 'a PATCH of another content type is refused with 4xx',
    run: async (subject) => {
      const session = await subject.begin();
      const response = await subject.patch(session, fragment(session.ice, HOSTS), { type: 'application/sdp' });
      check(is4xx(response), String(response.status), '4xx, such as 415');
      return String(response.status);
    },
  },
  {
    id: 'patch-malformed', section: '4.3.1', level: 'MUST',
    rule: 'a malformed fragment is refused with 4xx',
    run: async (subject) => {
      const response = await subject.patch(await subject.begin(), 'hello');
      check(is4xx(response), String(response.status), '4xx');
      return String(response.status);
    },
  },
  {
    id: 'one-of-both', section: '4.3.1', level: 'MUST',
    rule: 'a server that does either Trickle ICE or ICE restarts refuses the other with 422',
    run: async (subject) => {
      const session = await subject.begin();
      const trickled = await trickles(subject, session);
      const restart = await subject.patch(session, fragment(newIce(), HOSTS), { match: '*' });
      const missing = [trickled, restart].filter(({ status }) => UNSUPPORTED.has(status));
      if (missing.length !== 1) throw new NotApplicable(missing.length === 0 ? 'it does both' : 'it does neither');
      check(missing[0].status === 422, String(missing[0].status), '422');
      return '422';
    },
  },
  {
    id: 'etag', section: '4.3.1', level: 'MUST',
    rule: 'the 201 of a server that restarts ICE has a strong entity tag',
    run: async (subject) => {
      const { session } = await restarted(subject);
      check(isStrong(session.etag), `ETag: ${session.etag}`, 'a strong one (RFC 9110, section 8.8.3)');
      return session.etag;
    },
  },
  {
    id: 'no-tag', section: '4.3.1', level: 'MUST',
    rule: 'a PATCH without If-Match is refused with 428',
    run: async (subject) => {
      const { session } = await trickling(subject);
      if (!session.etag) throw new NotApplicable('no entity tags, as it restarts no ICE');
      const response = await subject.patch(session, fragment(session.ice, HOSTS), { match: null });
      check(response.status === 428, String(response.status), '428');
      return '428';
    },
  },
  {
    id: 'other-tag', section: '4.3.1', level: 'MUST',
    rule: 'a PATCH with another entity tag is refused with 412',
    run: async (subject) => {
      const { session } = await trickling(subject);
      if (!session.etag) throw new NotApplicable('no entity tags, as it restarts no ICE');
      const response = await subject.patch(session, fragment(session.ice, HOSTS), { match: '"of-another-session"' });
      check(response.status === 412, String(response.status), '412');
      return '412';
    },
  },
  {
    id: 'trickle', section: '4.3.2', level: 'MUST',
    rule: 'candidates are answered with 204, without content',
    run: async (subject) => {
      const { response } = await trickling(subject);
      check(response.status === 204 && response.body === '', `${response.status} ${response.body.slice(0, 200)}`, '204 without content');
      return '204';
    },
  },
  {
    id: 'trickle-no-etag', section: '4.3.2', level: 'MUST NOT',
    rule: 'that answer has no ETag',
    run: async (subject) => {
      const { response } = await trickling(subject);
      check(response.headers.etag === undefined, `ETag: ${response.headers.etag}`, 'none');
      return 'none';
    },
  },
  {
    id: 'trickle-unknown', section: '4.3.2', level: 'MUST',
    rule: 'a candidate of an unknown transport or name is discarded, and the rest is taken',
    run: async (subject) => {
      const { session } = await trickling(subject);
      const odd = ['a=candidate:3 1 carrier-pigeon 1 192.0.2.7 1149 typ host', 'a=candidate:4 1 udp 2 nowhere.invalid 50002 typ host'];
      const response = await subject.patch(session, fragment(session.ice, [...odd, ...HOSTS]));
      check(is2xx(response), `${response.status} ${response.body.slice(0, 200)}`, '204');
      return String(response.status);
    },
  },
  {
    id: 'restart', section: '4.3.3', level: 'SHALL',
    rule: 'new credentials restart ICE: 200 with a fragment that has new ones',
    run: async (subject) => {
      const { session, response, fragment: theirs } = await restarted(subject);
      check(/^application\/trickle-ice-sdpfrag\s*(;|$)/i.test(response.headers['content-type'] ?? ''), `Content-Type: ${response.headers['content-type']}`, 'application/trickle-ice-sdpfrag');
      for (const name of ['ice-ufrag', 'ice-pwd']) {
        check(said(theirs, name), `no ${name}`, 'ice-ufrag and ice-pwd');
        check(said(theirs, name) !== said(session.answer, name), `the ${name} of before`, 'another');
      }
      return `ufrag ${said(theirs, 'ice-ufrag')} after ${said(session.answer, 'ice-ufrag')}`;
    },
  },
  {
    id: 'restart-etag', section: '4.3.3', level: 'MUST',
    rule: 'a restart has a new entity tag',
    run: async (subject) => {
      const { session, response } = await restarted(subject);
      check(isStrong(response.headers.etag) && response.headers.etag !== session.etag, `ETag: ${response.headers.etag} after ${session.etag}`, 'another strong one');
      return `${response.headers.etag} after ${session.etag}`;
    },
  },
  {
    id: 'restart-tag-before', section: '4.3.3', level: 'MUST',
    rule: 'after a restart, candidates need the new entity tag',
    run: async (subject) => {
      const { session, response, ice } = await restarted(subject);
      const before = await subject.patch(session, fragment(ice, HOSTS));
      if (UNSUPPORTED.has(before.status)) throw new NotApplicable('no Trickle ICE');
      const after = await subject.patch(session, fragment(ice, HOSTS), { match: response.headers.etag });
      check(before.status === 412 && is2xx(after), `${before.status} with the tag of before, ${after.status} with the new one`, '412 and 204');
      return '412, then 204';
    },
  },
  ...['ice-options', 'ice-lite', 'ice-pacing'].map((name) => /** @type {Case} */ ({
    id: `restart-${name}`, section: '4.3.3', level: 'MUST',
    rule: `a restart says the same ${name} as the answer`,
    run: async (subject) => {
      const { session, fragment: theirs } = await restarted(subject);
      check(said(theirs, name) === said(session.answer, name), `${said(theirs, name) ?? 'nothing'} after ${said(session.answer, name) ?? 'nothing'}`, 'the same');
      return said(theirs, name) ?? 'neither has it';
    },
  })),
];
