import { Failure } from '../kit/failure.js';
import { gateway, pass } from '../kit/faults.js';

/** @type {import('../kit/wire.js').Rule[]} */
const TROUBLES = [
  (_, ask, answer) => answer.socket.destroy(),
  async (_, ask, answer) => { await ask(); answer.socket.destroy(); },
  (_, ask, answer) => answer.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Log in to this network</h1>'),
  async (_, ask, answer) => { await ask(); gateway(answer, 502); },
];

export default [
  {
    name: 'join-repeated',
    promise: 'a join whose answer is lost is repeated under the same key, and takes one seat',
    async run(stage) {
      const server = await stage.server();
      const peer = await stage.peer(server, { capacity: 8 });
      let joins = 0;
      const wire = await stage.wire(server, async (exchange, ask, answer) => {
        const trouble = exchange.isJoin ? TROUBLES[joins] : undefined;
        if (exchange.isJoin) joins += 1;
        return trouble ? trouble(exchange, ask, answer) : pass(answer, await ask());
      });
      const client = await stage.client(wire.base);
      const keys = new Set(wire.seen.filter(({ isJoin }) => isJoin).map(({ key }) => key));
      if (keys.size !== 1 || keys.has(undefined)) throw new Failure('doubled', `joins with ${keys.size} keys`, 'the same Idempotency-Key each time');
      const others = await peer.others();
      if (others.join() !== client.id) throw new Failure('doubled', `${others.length} seats taken`, 'one, the one that the client says it has');
      return `${joins} joins with one key took one seat`;
    },
  },
  {
    name: 'join-refused',
    promise: 'a join that the server refuses is told to the program, and not repeated',
    async run(stage) {
      const server = await stage.server();
      await stage.peer(server, { capacity: 1 });
      const wire = await stage.wire(server);
      const client = stage.start();
      client.do({ do: 'join', base: wire.base, room: stage.room, name: 'client' });
      const { problem } = await client.next('refused');
      if (problem !== 'room-full') throw new Failure('wrong', `it says ${problem}`, 'room-full');
      if (wire.seen.length > 1) throw new Failure('storm', `${wire.seen.length} requests`, 'one');
      return 'room-full, after one request';
    },
  },
];
