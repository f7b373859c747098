import { once } from 'node:events';
import { request as http } from 'node:http';
import { request as https } from 'node:https';
import { connect as tls } from 'node:tls';

import { glance } from './glance.js';

const UNCHECKED = { servername: 'localhost', rejectUnauthorized: false };

/** The path from a client to a server: through a proxy, or direct. */
export class Way {
  /**
   * @param {string} server `http://127.0.0.1:…`
   * @param {import('./proxies.js').Proxy} [proxy]
   */
  constructor(server, proxy) {
    this.proxy = proxy;
    this.forward = proxy?.base === null;
    this.base = proxy?.base ?? server;
  }

  /** Browser options for this path. A certificate that a proxy has made for itself is not checked. */
  get browsing() {
    const through = this.forward && { proxy: { server: `http://127.0.0.1:${this.proxy.port}` } };
    return { ignoreHTTPSErrors: !this.proxy?.isIssued, ...through };
  }

  /** Sends a request from a plain client, with its own address. Resolves with the status and the body of the response. */
  async ask(path, options) {
    const asking = await this.send(path, options);
    const [response] = await once(asking, 'response');
    const text = (await response.toArray()).join('');
    const json = /json/.test(response.headers['content-type'] ?? '');
    return { status: response.statusCode, body: json ? JSON.parse(text) : text };
  }

  /** The same, without waiting for the response. */
  async send(path, { from = '127.0.0.1', body, headers, ...options } = {}) {
    const url = new URL(path, this.base);
    const send = url.protocol === 'https:' ? https : http;
    const to = await this.#to(url, from);
    const asking = send({ agent: false, ...to, ...UNCHECKED, ...options, headers: { ...to.headers, ...headers } });
    return asking.end(body);
  }

  async #to(url, localAddress) {
    const host = '127.0.0.1';
    if (!this.forward) return { host, port: url.port, path: url.pathname + url.search, headers: { host: url.host }, localAddress };
    const { port } = this.proxy;
    if (url.protocol === 'http:') return { host, port, path: url.href, headers: { host: url.host }, localAddress };
    const connecting = http({ host, port, method: 'CONNECT', path: url.host, localAddress, agent: false });
    connecting.end();
    const [, socket] = await once(connecting, 'connect');
    const secure = tls({ socket, ...UNCHECKED });
    await once(secure, 'secureConnect');
    return { path: url.pathname + url.search, headers: { host: url.host }, agent: undefined, createConnection: () => secure };
  }

  /** Resolves when the server can be reached on this path. */
  async open() {
    for (;;) {
      const answer = await this.ask('/healthz').catch(() => null);
      if (answer?.status === 200) return this;
      await glance();
    }
  }
}
