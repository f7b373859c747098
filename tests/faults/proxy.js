// A proxy that injects faults between client and server:
//
//   node tests/faults/proxy.js --upstream 127.0.0.1:8080 [--rate 0.1] [--seed 1]
//
// prints `listening on http://127.0.0.1:PORT`, and on SIGTERM the count of each fault, as JSON.

import { createServer } from 'node:http';
import { parseArgs } from 'node:util';

import { bodyOf, faults, forward, pass, randomly } from '../../clients/conformance/kit/faults.js';

const { values } = parseArgs({ options: { upstream: { type: 'string' }, rate: { type: 'string', default: '0.1' }, seed: { type: 'string', default: '1' } } });
const counts = { requests: 0 };
const random = randomly(Number(values.seed));
const FAULTS = faults(random);

const server = createServer(async (asked, answer) => {
  counts.requests += 1;
  const gone = new AbortController();
  answer.on('close', () => answer.writableFinished || gone.abort());
  try {
    const { method, url, headers } = asked;
    const body = await bodyOf(asked);
    const ask = () => forward(values.upstream, { method, url, headers, body }, gone.signal);
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
