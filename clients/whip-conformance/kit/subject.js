import { ask } from './http.js';
import { newIce, offer } from './offer.js';
import { read } from './sdp.js';
import { check } from './verdict.js';

/** @import { Answered } from './http.js' */

const MAX_REDIRECTS = 5;

/**
 * @typedef {object} Session
 * @property {URL} url
 * @property {string | undefined} etag
 * @property {Answered} created
 * @property {ReturnType<typeof read>} answer
 * @property {import('./offer.js').Ice} ice the encoder's
 */

/** The server under test. Each case has one of its own, and ends the sessions that it began. */
export class Subject {
  /** @type {URL[]} */
  #open = [];

  /** @param {{ endpoint: string, token?: string, origin: string }} options */
  constructor({ endpoint, token, origin }) {
    Object.assign(this, { endpoint: new URL(endpoint), token, origin });
  }

  /** @param {string | null} [token] null for none */
  authorization(token = this.token) {
    return token ? { authorization: `Bearer ${token}` } : {};
  }

  /**
   * @param {string} method
   * @param {string | URL} url
   * @param {{ headers?: Record<string, string>, body?: string, token?: string | null }} [more]
   */
  ask(method, url, { headers, body, token } = {}) {
    return ask(method, url, { headers: { ...this.authorization(token), ...headers }, body });
  }

  /**
   * Posts to the endpoint, or to where that redirects.
   *
   * @param {string} body
   * @param {{ type?: string, token?: string | null, headers?: Record<string, string> }} [more]
   */
  async post(body, { type = 'application/sdp', token, headers } = {}) {
    let target = this.endpoint;
    for (let redirects = 0; ; redirects += 1) {
      const response = await this.ask('POST', target, { headers: { 'content-type': type, ...headers }, body, token });
      if (response.status === 201 && response.headers.location) this.#open.push(new URL(response.headers.location, target));
      const moved = [307, 308].includes(response.status) && response.headers.location;
      if (!moved) return { response, target };
      check(redirects < MAX_REDIRECTS, `${MAX_REDIRECTS} redirects`, 'an answer');
      target = new URL(moved, target);
    }
  }

  /**
   * A session that works.
   *
   * @param {Parameters<typeof offer>[0]} [options]
   * @returns {Promise<Session>}
   */
  async begin({ ice = newIce(), ...options } = {}) {
    const { response, target } = await this.post(offer({ ice, ...options }));
    check(response.status === 201, `${response.status} ${response.body.slice(0, 200)}`, '201 for an offer (4.2)');
    check(response.headers.location, 'no Location', 'the URL of the session (4.2)');
    return { url: new URL(/** @type {string} */ (response.headers.location), target), etag: response.headers.etag, created: response, answer: read(response.body), ice };
  }

  /**
   * @param {Session} session
   * @param {string} body
   * @param {{ match?: string | null, type?: string }} [more] `match`: of `If-Match`, by default the session's tag; null for none
   */
  patch({ url, etag }, body, { match = etag ?? null, type = 'application/trickle-ice-sdpfrag' } = {}) {
    return this.ask('PATCH', url, { headers: { 'content-type': type, ...(match !== null && { 'if-match': match }) }, body });
  }

  /** Ends what the case has left open. */
  async end() {
    for (const url of this.#open.splice(0)) await this.ask('DELETE', url).catch(() => {});
  }
}
