#!/usr/bin/env node
// A WHIP server without media, which keeps every rule: node clients/whip-conformance/example/server.js PORT
//
// Tests break one rule after the other in it, by the id of the case that has to notice.

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

import { attribute, read } from '../kit/sdp.js';
import { answerTo, isOffer, newCredentials, restarted } from './description.js';

const ICE = ['<stun:stun.example.org>; rel="ice-server"', '<turn:turn.example.org?transport=udp>; rel="ice-server"; username="ann"; credential="1, 2"; credential-type="password"'];
const BROKEN_ICE = { 'ice-uris': '<https://turn.example.org>; rel="ice-server"', 'ice-credentials': '<turn:turn.example.org>; rel="ice-server"' };

/**
 * @param {{ port?: number, token?: string, defect?: string }} [options]
 * @returns {Promise<{ endpoint: string, close: () => void }>}
 */
export async function start({ port = 0, token, defect = '' } = {}) {
  /** By path. @type {Map<string, Session>} */
  const sessions = new Map();
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request.setEncoding('utf8')) body += part;
    const { status, headers = {}, body: content } = new Exchange(sessions, { token, defect }, request, body).answer();
    response.writeHead(status, headers).end(content);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { endpoint: `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}/whip`, close: () => server.close() };
}

/**
 * @typedef {{ etag: string, offered: string }} Session `offered`: the encoder's ufrag
 * @typedef {{ status: number, headers?: Record<string, string | string[]>, body?: string }} Answer
 */

/** One request and what comes back. */
class Exchange {
  /**
   * @param {Map<string, Session>} sessions
   * @param {{ token?: string, defect: string }} options
   * @param {import('node:http').IncomingMessage} request
   * @param {string} body
   */
  constructor(sessions, { token, defect }, request, body) {
    Object.assign(this, { sessions, token, request, body, has: (/** @type {string} */ one) => one === defect });
  }

  /** @returns {Answer} */
  answer() {
    const { method, url = '', headers } = this.request;
    if (method === 'OPTIONS') return this.#options();
    if (this.token && headers.authorization !== `Bearer ${this.token}`) return this.#unauthorized();
    if (url === '/whip') return this.#endpoint();
    const session = this.sessions.get(url);
    return session ? this.#session(url, session) : { status: 404 };
  }

  /** @returns {Answer} */
  #unauthorized() {
    return { status: this.has('bearer') ? 404 : 401, headers: this.has('challenge') ? {} : { 'www-authenticate': 'Bearer' } };
  }

  /** @returns {Answer} */
  #options() {
    const isPreflight = 'access-control-request-method' in this.request.headers;
    const cors = { 'access-control-allow-origin': '*', 'access-control-allow-methods': 'POST, PATCH, DELETE', 'access-control-allow-headers': 'authorization, content-type, if-match' };
    return { status: 200, headers: {
      ...(this.has('preflight') ? {} : cors),
      ...(this.has('accept-post') ? {} : { 'accept-post': 'application/sdp' }),
      ...(isPreflight && !this.has('ice-preflight') ? {} : { link: ICE }),
    } };
  }

  /** @returns {Answer} */
  #endpoint() {
    const { method, headers } = this.request;
    if (method === 'GET') return this.has('get-endpoint') ? { status: 405 } : { status: 204 };
    if (method !== 'POST') return { status: 405, headers: { allow: 'GET, POST, OPTIONS' } };
    if (headers['content-type'] !== 'application/sdp' && !this.has('content-type')) return { status: 415 };
    if (this.has('no-see-other')) return { status: 302, headers: { location: '/whip' } };
    if (!isOffer(this.body)) return { status: this.has('malformed') ? 500 : 400 };
    if (this.has('gathered-offer') && this.body.includes('a=candidate:')) return { status: 422 };
    if (!this.has('two-videos') && this.body.match(/^m=video/gm)?.length === 2) return { status: 422 };
    const answer = answerTo(this.body, newCredentials(), this.has);
    return answer === null ? { status: 422 } : this.has('two-videos') && this.body.match(/^m=video/gm)?.length === 2 ? this.#created(answer.replace(/^m=video 9(?=[^]*m=video)/m, 'm=video 0')) : this.#created(answer);
  }

  /** @param {string} answer @returns {Answer} */
  #created(answer) {
    const url = `/whip/${this.has('location') ? 'session' : randomUUID()}`;
    const { session, sections } = read(this.body);
    const etag = this.has('etag') ? 'W/"1"' : `"${randomUUID()}"`;
    this.sessions.set(url, { etag, offered: attribute([...session, ...sections[0].lines], 'ice-ufrag') ?? '' });
    const broken = Object.entries(BROKEN_ICE).find(([one]) => this.has(one))?.[1];
    const links = [...ICE, ...(broken ? [broken] : []), `<${url}/events>; rel="${this.has('extensions') ? 'events' : 'urn:ietf:params:whip:ext:example:events'}"`];
    const exposed = this.has('exposed') ? {} : { 'access-control-expose-headers': 'location, etag, link' };
    return { status: this.has('created') ? 200 : 201, headers: { 'content-type': this.has('answer-type') ? 'text/plain' : 'application/sdp', location: url, etag, link: links, ...exposed }, body: answer };
  }

  /** @param {string} url @param {Session} session @returns {Answer} */
  #session(url, session) {
    const { method, headers } = this.request;
    if (method === 'GET') return this.has('get-session') ? { status: 200, body: 'a session' } : { status: 204 };
    if (method === 'PATCH') return this.#patch(session);
    if (method !== 'DELETE') return { status: 405, headers: { allow: 'GET, PATCH, DELETE' } };
    if (this.has('delete-any-tag') && headers['if-match'] && headers['if-match'] !== session.etag) return { status: 412 };
    if (!this.has('delete')) this.sessions.delete(url);
    return { status: 200 };
  }

  /** @param {Session} session @returns {Answer} */
  #patch(session) {
    const { 'if-match': match, 'content-type': type } = this.request.headers;
    if (type !== 'application/trickle-ice-sdpfrag' && !this.has('patch-type')) return { status: 415 };
    const { session: head, sections } = read(this.body);
    const ufrag = attribute([...head, ...sections.flatMap(({ lines }) => lines)], 'ice-ufrag');
    if (ufrag === undefined) return { status: this.has('patch-malformed') ? 204 : 400 };
    if (match === undefined) return { status: this.has('no-tag') ? 204 : 428 };
    if (match === '*' && ufrag !== session.offered) return this.has('one-of-both') ? { status: 501 } : this.#restart(session, ufrag);
    if (match !== '*' && match !== session.etag && !this.has('other-tag')) return { status: 412 };
    if (this.has('trickle-unknown') && this.body.includes('carrier-pigeon')) return { status: 400 };
    return { status: this.has('trickle') ? 200 : 204, headers: this.has('trickle-no-etag') ? { etag: session.etag } : {} };
  }

  /** @param {Session} session @param {string} ufrag @returns {Answer} */
  #restart(session, ufrag) {
    const before = session.etag;
    Object.assign(session, { offered: ufrag, etag: this.has('restart-tag-before') ? before : `"${randomUUID()}"` });
    const etag = this.has('restart-etag') || this.has('restart-tag-before') ? before : session.etag;
    return { status: 200, headers: { 'content-type': this.has('restart') ? 'application/sdp' : 'application/trickle-ice-sdpfrag', etag }, body: restarted(newCredentials(), this.has) };
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) console.log((await start({ port: Number(process.argv[2] ?? 0) })).endpoint);
