// A proxy that injects faults between client and server:
//
//   node tests/faults/proxy.js --upstream 127.0.0.1:8080 [--rate 0.1] [--seed 1]
//
// prints `listening on http://127.0.0.1:PORT`, and on SIGTERM the count of each fault, as JSON.

import { createServer, request } from 'node:http';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { upstream: { type: 'string' }, rate: { type: 'string', default: '0.1' }, seed: { type: 'string', default: '1' } } });
const [host, port] = values.upstream.split(':');
const counts = { requests: 0 };

/** The same faults for the same seed (mulberry32). */
let state = Number(values.seed);
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}

async function bodyOf(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Forwards a request to the server, and buffers the whole response. */
function forward({ method, url, headers }, body, signal) {
  return new Promise((resolve, reject) => {
    const asking = request({ host, port, method, path: url, headers: { ...headers, host: values.upstream, connection: 'close' }, signal });
    asking.on('error', reject);
    asking.on('response', (response) => bodyOf(response).then((text) => resolve({ status: response.statusCode, headers: response.headers, text }), reject));
    asking.end(body);
  });
}

function pass(answer, { status, headers, text }) {
  const { connection: _, 'transfer-encoding': __, ...kept } = headers;
  answer.writeHead(status, kept).end(text);
}

const gateway = (answer, status) => answer.writeHead(status, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>');

/** The possible faults of a request. A fault may call `ask` any number of times. */
const FAULTS = {
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
};

const server = createServer(async (asked, answer) => {
  counts.requests += 1;
  const gone = new AbortController();
  answer.on('close', () => answer.writableFinished || gone.abort());
  try {
    const body = await bodyOf(asked);
    const ask = () => forward(asked, body, gone.signal);
    if (random() >= Number(values.rate)) return pass(answer, await ask());
    const names = Object.keys(FAULTS);
    const name = names[Math.floor(random() * names.length)];
    counts[name] = (counts[name] ?? 0) + 1;
    await FAULTS[name](ask, answer);
  } catch {
    answer.socket?.destroy();
  }
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
process.on('SIGTERM', () => console.log(JSON.stringify(counts)) ?? process.exit(0));
