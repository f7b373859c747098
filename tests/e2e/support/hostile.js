import { once } from 'node:events';
import { createServer } from 'node:http';

import { bodyOf, forward, pass } from '../../../clients/conformance/kit/faults.js';
import { between } from './between.js';

/** @typedef {(message: any, to: string) => any} Tamper what becomes of a relayed message; null: it is not passed on */

/**
 * A server that is not to be trusted, or a proxy in front of one that terminates TLS: it reads everything that it carries, and may change what
 * it passes on.
 */
export class Hostile {
  /** All URLs and bodies. */
  carried = '';
  /** @type {Tamper} */
  tamper = (message) => message;

  /** @param {string} base of the real server */
  static async start(base) {
    const hostile = new Hostile();
    hostile.server = createServer((asked, answer) => void hostile.#carry(new URL(base).host, asked, answer));
    hostile.server.keepAliveTimeout = 60_000;
    hostile.server.listen(0, '127.0.0.1');
    await once(hostile.server, 'listening');
    hostile.base = `http://127.0.0.1:${hostile.server.address().port}`;
    return hostile;
  }

  async #carry(upstream, asked, answer) {
    const gone = new AbortController();
    answer.on('close', () => answer.writableFinished || gone.abort());
    try {
      const { method, url, headers } = asked;
      const body = await bodyOf(asked);
      this.carried += `${method} ${url}\n${body}\n`;
      const came = await forward(upstream, { method, url, headers: { ...headers, 'accept-encoding': 'identity' }, body }, gone.signal);
      if (url.startsWith('/v1/')) this.carried += `${came.text}\n`;
      const [, reader] = /\/peers\/([^/]+)\/messages\?/.exec(url) ?? [];
      pass(answer, reader && came.status === 200 ? await this.#read(came, reader) : came);
    } catch {
      answer.socket?.destroy();
    }
  }

  /** A response to a poll, with what the reader is to see. */
  async #read(came, reader) {
    const batch = JSON.parse(String(came.text));
    const messages = [];
    for (const message of batch.messages) {
      const passed = 'from' in message ? await this.tamper(message, reader) : message;
      if (passed) messages.push(passed);
    }
    const body = Buffer.from(JSON.stringify({ ...batch, messages }));
    return { ...came, text: body, headers: { ...came.headers, 'content-length': String(body.length) } };
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/**
 * Sits between two peers: in a page of its own it has a connection with each of them, under its own certificates, and passes on their
 * pictures, sound and chat.
 *
 * @param {import('playwright-core').Page} page
 * @returns {Promise<{ tamper: Tamper, overheard: () => Promise<{ texts: string[], states: string[] }> }>}
 */
export async function sitBetween(page) {
  await page.evaluate(between);
  const tamper = async (message, to) => {
    const { type, from } = message;
    if (type === 'candidate') return page.evaluate((args) => window.between.candidate(...args), [from, to, message.candidate]);
    if (type !== 'offer' && type !== 'answer') return message;
    const sdp = await page.evaluate((args) => window.between.describe(...args), [from, to, { type, sdp: message.sdp }]);
    return sdp && { ...message, sdp };
  };
  return { tamper, overheard: () => page.evaluate(() => window.between.overheard()) };
}
