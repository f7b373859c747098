import { request as plain } from 'node:http';
import { request as secure } from 'node:https';

/** Some servers answer an offer only once somebody receives it. */
const PATIENCE_MS = 60_000;
/** More than any answer needs. */
const MAX_BYTES = 1 << 20;

/**
 * @typedef {object} Answered
 * @property {number} status
 * @property {import('node:http').IncomingHttpHeaders} headers
 * @property {string[]} links the `Link` fields, one link each
 * @property {string} body
 */

/**
 * One request, exactly as given: no redirect is followed, no field is added that a case has not asked for.
 *
 * @param {string} method
 * @param {string | URL} url
 * @param {{ headers?: Record<string, string>, body?: string }} [more]
 * @returns {Promise<Answered>}
 */
export function ask(method, url, { headers = {}, body } = {}) {
  const target = new URL(url);
  const send = target.protocol === 'https:' ? secure : plain;
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const request = send(target, { method, headers: { ...headers, ...length }, agent: false, signal: AbortSignal.timeout(PATIENCE_MS) }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part) => {
        text += part;
        if (text.length > MAX_BYTES) request.destroy(new Error('the response does not end'));
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, links: linksOf(response.headers.link), body: text }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

/**
 * Splits `Link` fields into links (RFC 8288, section 3): a comma in a quoted string or in a URI separates nothing.
 *
 * @param {string | string[] | undefined} field
 */
function linksOf(field) {
  const text = [field ?? []].flat().join(', ');
  return [...text.matchAll(/<[^>]*>(?:[^,"]|"(?:\\.|[^"\\])*")*/g)].map(([link]) => link.trim());
}

/**
 * @param {string} link
 * @returns {{ uri: string, parameters: Record<string, string> }}
 */
export function readLink(link) {
  const [, uri, rest] = /^<([^>]*)>(.*)$/s.exec(link) ?? ['', '', ''];
  const parameters = [...rest.matchAll(/;\s*([\w!#$&+^`|~*.-]+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^\s;]+))/g)]
    .map(([, name, quoted, token]) => [name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? token]);
  return { uri, parameters: Object.fromEntries(parameters.reverse()) };
}
