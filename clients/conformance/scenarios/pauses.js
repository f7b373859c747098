import { gateway, pass } from '../kit/faults.js';
import { passing } from '../kit/wire.js';
import { calm, exchange } from './exchange.js';

const SECONDS = 8;
/** Twice a second, and a few more that jitter may put together. */
const MOST = 2 * SECONDS + 8;

const limited = (said) => (_, ask, answer) => {
  const document = { type: '/problems/rate-limited', title: 'Too many requests', status: 429, detail: 'The kit says so.', action: 'Wait.' };
  answer.writeHead(429, { 'content-type': 'application/problem+json', 'retry-after': said }).end(JSON.stringify(document));
};

/** `Retry-After` that nobody should obey to the letter. */
const ODD = ['0', '-5', 'soon', 'Fri, 31 Dec 1999 23:59:59 GMT'];

const hasty = ODD.map((said) => ({
  name: `retry-after: ${said}`,
  promise: 'while a gateway or a server refuses with an odd Retry-After, the client asks about twice a second at most, and continues afterwards',
  async run(stage) {
    const server = await stage.server();
    const wire = await stage.wire(server);
    const peer = await stage.peer(server);
    const client = await stage.client(wire.base);
    const counts = [];
    for (const refuse of [(_, ask, answer) => gateway(answer, 503, { 'retry-after': said }), limited(said)]) {
      wire.rule = refuse;
      // Ends the poll that is parked.
      await peer.send(client.id, 'wake up');
      counts.push(await calm(stage, wire, { seconds: SECONDS, most: MOST, least: 1 }));
    }
    wire.rule = passing;
    await client.next('received', { data: 'wake up' });
    await client.next('received', { data: 'wake up' });
    return `${counts.join(', then ')}; ${await exchange(client, peer, { rounds: 3 })}`;
  },
}));

export default [
  ...hasty,
  {
    name: 'retry-after: a month',
    promise: 'a Retry-After beyond the lease is cut short: no silence in which the seat would expire',
    async run(stage) {
      const server = await stage.server();
      let refused = 0;
      const wire = await stage.wire(server, async ({ isPoll }, ask, answer) => {
        if (isPoll && refused === 0) {
          refused += 1;
          return gateway(answer, 503, { 'retry-after': '2592000' });
        }
        return pass(answer, await ask());
      });
      const peer = await stage.peer(server);
      const client = await stage.client(wire.base);
      await peer.send(client.id, 'are you there?');
      await client.next('received', { data: 'are you there?' });
      return exchange(client, peer, { rounds: 3 });
    },
    seconds: 60,
  },
];
