import { HOSTS, fragment, offer } from '../kit/offer.js';
import { check, is2xx, is4xx } from '../kit/verdict.js';

/** @import { Case } from './index.js' */

/** @type {Case[]} Sections 4.1 and 4.2: the endpoint, and the life of a session. */
export const session = [
  {
    id: 'get-endpoint', section: '4.1', level: 'MUST',
    rule: 'the endpoint answers GET with 2xx and no content',
    run: async (subject) => empty(await subject.ask('GET', subject.endpoint)),
  },
  {
    id: 'get-session', section: '4.1', level: 'MUST',
    rule: 'a session answers GET with 2xx and no content',
    run: async (subject) => empty(await subject.ask('GET', (await subject.begin()).url)),
  },
  {
    id: 'created', section: '4.2', level: 'MUST',
    rule: 'an offer is answered with 201',
    run: async (subject) => {
      const { response } = await subject.post(offer());
      check(response.status === 201, `${response.status} ${response.body.slice(0, 200)}`, '201');
      return '201';
    },
  },
  {
    id: 'answer-type', section: '4.2', level: 'MUST',
    rule: 'the answer is the body, of type application/sdp',
    run: async (subject) => {
      const { created } = await subject.begin();
      check(/^application\/sdp\s*(;|$)/i.test(created.headers['content-type'] ?? ''), `Content-Type: ${created.headers['content-type']}`, 'application/sdp');
      check(created.body.startsWith('v=0'), created.body.slice(0, 60), 'a description');
      return created.headers['content-type'];
    },
  },
  {
    id: 'location', section: '4.2', level: 'MUST',
    rule: 'Location has the URL of a session of its own',
    run: async (subject) => {
      const [one, other] = [await subject.begin(), await subject.begin()];
      check(one.url.href !== subject.endpoint.href, 'the endpoint itself', 'a URL for the session');
      check(one.url.href !== other.url.href, `${one.url.pathname} twice`, 'one URL for each session');
      return 'one for each session';
    },
  },
  {
    id: 'content-type', section: '4.2', level: 'MUST',
    rule: 'a POST of another content type is refused with 4xx',
    run: async (subject) => {
      const { response } = await subject.post(offer(), { type: 'text/plain' });
      check(is4xx(response), String(response.status), '4xx, such as 415');
      return String(response.status);
    },
  },
  ...['', 'hello', '{"type": "offer"}', 'v=0\r\nm=audio'].map((body, at) => /** @type {Case} */ ({
    id: `malformed-${at + 1}`, section: '4.2', level: 'MUST',
    rule: `a malformed offer is refused with 4xx (${JSON.stringify(body)})`,
    run: async (subject) => {
      const { response } = await subject.post(body);
      check(is4xx(response), String(response.status), '4xx');
      return String(response.status);
    },
  })),
  {
    id: 'delete', section: '4.2', level: 'MUST',
    rule: 'DELETE ends the session: what comes after that is refused with 4xx',
    run: async (subject) => {
      const begun = await subject.begin();
      const deleted = await subject.ask('DELETE', begun.url);
      check(is2xx(deleted), String(deleted.status), '2xx for DELETE');
      const patched = await subject.patch(begun, fragment(begun.ice, HOSTS));
      check(is4xx(patched), `${deleted.status}, and ${patched.status} for a PATCH after it`, '4xx, such as 404');
      return `${deleted.status}, then ${patched.status}`;
    },
  },
  {
    id: 'delete-any-tag', section: '4.3.1', level: 'MUST',
    rule: 'an entity tag in a DELETE is ignored',
    run: async (subject) => {
      const { url } = await subject.begin();
      const deleted = await subject.ask('DELETE', url, { headers: { 'if-match': '"of-another-session"' } });
      check(is2xx(deleted), String(deleted.status), '2xx');
      return String(deleted.status);
    },
  },
  {
    id: 'no-see-other', section: '4.5', level: 'MUST NOT',
    rule: 'a POST is not redirected by 301 or 302, which would make a GET of it',
    run: async (subject) => {
      const response = await subject.ask('POST', subject.endpoint, { headers: { 'content-type': 'application/sdp' }, body: offer() });
      if (response.status === 201 && response.headers.location) await subject.ask('DELETE', new URL(response.headers.location, subject.endpoint));
      check(![301, 302].includes(response.status), String(response.status), '201, or 307');
      return String(response.status);
    },
  },
];

/** @param {import('../kit/http.js').Answered} response */
function empty(response) {
  check(is2xx(response), String(response.status), '2xx without content');
  check(response.body === '', `${response.status} with ${response.body.length} characters`, 'no content');
  return String(response.status);
}
