// What can happen to a request between a client and the server. Also used by `tests/faults/proxy.js`.

import { request } from 'node:http';

/**
 * @typedef {{ method: string, url: string, headers: Record<string, string | string[] | undefined>, body: Buffer }} Asked
 * @typedef {{ status: number, headers: Record<string, string | string[] | undefined>, text: Buffer }} Answered
 */

/** The same sequence for the same seed (mulberry32). @param {number} seed */
export function randomly(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export async function bodyOf(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * Forwards a request to the server, on a connection of its own, and buffers the whole response.
 *
 * @param {string} upstream host and port
 * @param {Asked} asked
 * @param {AbortSignal} [signal]
 * @returns {Promise<Answered>}
 */
export function forward(upstream, { method, url, headers, body }, signal) {
  const [host, port] = upstream.split(':');
  return new Promise((resolve, reject) => {
    const asking = request({ host, port, method, path: url, headers: { ...headers, host: upstream, connection: 'close' }, signal });
    asking.on('error', reject);
    asking.on('response', (response) => bodyOf(response).then((text) => resolve({ status: response.statusCode, headers: response.headers, text }), reject));
    asking.end(body);
  });
}

/** Passes a response on, over a connection that stays open. */
export function pass(answer, { status, headers, text }) {
  const { connection: _, 'transfer-encoding': __, ...kept } = headers;
  answer.writeHead(status, kept).end(text);
}

export const gateway = (answer, status, headers = {}) => answer.writeHead(status, { 'content-type': 'text/html', ...headers }).end('<h1>Bad gateway</h1>');

/** The faults, by name. A fault may call `ask` any number of times. @param {() => number} random */
export const faults = (random) => ({
  'cut before the server has it': (ask, answer) => answer.socket.destroy(),
  'cut before the answer': async (ask, answer) => { await ask(); answer.socket.destroy(); },
  'cut in the middle of the answer': async (ask, answer) => {
    const { status, headers, text } = await ask();
    answer.writeHead(status, { ...headers, connection: 'close' });
    answer.write(text.subarray(0, text.length / 2), () => answer.socket?.destroy());
  },
  'cut after the answer': async (ask, answer) => {
    pass(answer, await ask());
    answer.on('finish', () => answer.socket?.destroy());
  },
  'request sent twice': async (ask, answer) => {
    const first = ask();
    const second = ask();
    await first.catch(() => {});
    pass(answer, await second);
  },
  'answer delayed': async (ask, answer) => {
    const got = await ask();
    setTimeout(() => pass(answer, got), 30 * random());
  },
  '502 instead of asking': (ask, answer) => gateway(answer, 502),
  '502 instead of the answer': async (ask, answer) => { await ask(); gateway(answer, 502); },
  '504 instead of the answer': async (ask, answer) => { await ask(); gateway(answer, 504); },
});
