import { readLink } from '../kit/http.js';
import { offer } from '../kit/offer.js';
import { NotApplicable, check, is2xx } from '../kit/verdict.js';

/** @import { Case } from './index.js' */
/** @import { Subject } from '../kit/subject.js' */

/** @param {Subject} subject */
const preflight = (subject) => subject.ask('OPTIONS', subject.endpoint, {
  token: null,
  headers: { origin: subject.origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type' },
});

const list = (/** @type {string | string[] | undefined} */ field) => String(field ?? '').toLowerCase().split(',').map((one) => one.trim());
const isIce = (/** @type {{ parameters: Record<string, string> }} */ { parameters }) => parameters.rel === 'ice-server';

/** @param {Subject} subject */
async function iceServers(subject) {
  const { created } = await subject.begin();
  const servers = created.links.map(readLink).filter(isIce);
  if (servers.length === 0) throw new NotApplicable('the 201 names no ICE servers');
  return servers;
}

/** @type {Case[]} Sections 4.2 (CORS), 4.6, 4.7 and 4.9. */
export const surroundings = [
  {
    id: 'preflight', section: '4.2', level: 'MUST',
    rule: 'a preflight lets pages of another origin post',
    run: async (subject) => {
      const { status, headers } = await preflight(subject);
      check(is2xx({ status }), String(status), '2xx');
      const origin = headers['access-control-allow-origin'];
      check(origin === '*' || origin === subject.origin, `Access-Control-Allow-Origin: ${origin}`, `* or ${subject.origin}`);
      const methods = list(headers['access-control-allow-methods']);
      // POST itself needs no permission (Fetch, section 4.8), the fields do.
      const fields = list(headers['access-control-allow-headers']);
      check(methods.includes('patch') || methods.includes('post') || methods.includes('*') || !headers['access-control-allow-methods'], methods.join(', '), 'POST');
      // `*` does not cover Authorization (Fetch, section 4.8).
      check(fields.includes('authorization') && (fields.includes('content-type') || fields.includes('*')), `Access-Control-Allow-Headers: ${fields.join(', ')}`, 'authorization, content-type');
      return `${status}, for ${origin}`;
    },
  },
  {
    id: 'accept-post', section: '4.2', level: 'SHOULD',
    rule: 'OPTIONS is answered with 200 and Accept-Post: application/sdp',
    run: async (subject) => {
      const { status, headers } = await subject.ask('OPTIONS', subject.endpoint);
      check(status === 200, String(status), '200');
      check(list(headers['accept-post']).includes('application/sdp'), `Accept-Post: ${headers['accept-post']}`, 'application/sdp');
      return '200';
    },
  },
  {
    id: 'exposed', section: '4.2', level: 'SHOULD',
    rule: 'pages of another origin may read Location, ETag and Link (in the spirit of it: without them CORS is of no use)',
    run: async (subject) => {
      const { response: { headers } } = await subject.post(offer(), { headers: { origin: subject.origin } });
      const exposed = list(headers['access-control-expose-headers']);
      const wanted = ['location', 'etag', 'link'].filter((name) => headers[name] !== undefined);
      const missing = wanted.filter((name) => !exposed.includes(name) && !exposed.includes('*'));
      check(missing.length === 0, `Access-Control-Expose-Headers: ${exposed.join(', ')}`, wanted.join(', '));
      return wanted.join(', ');
    },
  },
  {
    id: 'ice-uris', section: '4.6', level: 'MUST',
    rule: 'links to ICE servers are URIs of STUN or TURN (RFC 7064, RFC 7065)',
    run: async (subject) => {
      const servers = await iceServers(subject);
      const odd = servers.find(({ uri }) => !/^stuns?:[^/?]+$|^turns?:[^/?]+(\?transport=\w+)?$/.test(uri));
      check(!odd, odd?.uri ?? '', 'stun:host:port or turn:host:port?transport=udp');
      return `${servers.length} servers`;
    },
  },
  {
    id: 'ice-credentials', section: '4.6', level: 'MUST',
    rule: 'links to TURN servers have a username and a credential',
    run: async (subject) => {
      const turn = (await iceServers(subject)).filter(({ uri }) => /^turns?:/.test(uri));
      if (turn.length === 0) throw new NotApplicable('STUN only');
      const odd = turn.find(({ parameters }) => !parameters.username || !parameters.credential);
      check(!odd, odd?.uri ?? '', 'username="…"; credential="…"');
      return `${turn.length} servers`;
    },
  },
  {
    id: 'ice-preflight', section: '4.6', level: 'SHOULD NOT',
    rule: 'a preflight is not answered with ICE servers',
    run: async (subject) => {
      const { links } = await preflight(subject);
      check(!links.map(readLink).some(isIce), links.join(', '), 'none');
      return 'none';
    },
  },
  {
    id: 'bearer', section: '4.7', level: 'MUST',
    rule: 'a bearer token is taken, and without it nobody gets in',
    run: async (subject) => {
      if (!subject.token) throw new NotApplicable('no --token');
      await subject.begin();
      const { response } = await subject.post(offer(), { token: null });
      if (response.status === 201) throw new NotApplicable('the endpoint requires none');
      check([401, 403].includes(response.status), String(response.status), '401 or 403');
      return `201, and ${response.status} without it`;
    },
  },
  {
    id: 'challenge', section: '4.7', level: 'MUST',
    rule: 'a 401 has WWW-Authenticate (RFC 9110, section 11.6.1)',
    run: async (subject) => {
      const responses = [(await subject.post(offer(), { token: null })).response, (await subject.post(offer(), { token: 'of-somebody-else' })).response];
      const refused = responses.filter(({ status }) => status === 401);
      if (refused.length === 0) throw new NotApplicable(`never 401, but ${responses.map(({ status }) => status).join(' and ')}`);
      check(refused.every(({ headers }) => headers['www-authenticate']), 'no WWW-Authenticate', 'WWW-Authenticate: Bearer');
      return refused[0].headers['www-authenticate'];
    },
  },
  {
    id: 'extensions', section: '4.9', level: 'MUST',
    rule: 'links for extensions have a rel that begins with urn:ietf:params:whip:ext',
    run: async (subject) => {
      const { created } = await subject.begin();
      const others = created.links.map(readLink).filter((link) => !isIce(link));
      if (others.length === 0) throw new NotApplicable('it has none');
      const odd = others.find(({ parameters }) => !parameters.rel?.startsWith('urn:ietf:params:whip:ext'));
      check(!odd, `rel="${odd?.parameters.rel}"`, 'rel="urn:ietf:params:whip:ext…"');
      return others.map(({ parameters }) => parameters.rel).join(', ');
    },
  },
];
