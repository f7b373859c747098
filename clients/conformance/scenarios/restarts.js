import { Failure } from '../kit/failure.js';
import { pass } from '../kit/faults.js';
import { passing } from '../kit/wire.js';
import { KEPT } from '../kit/server.js';
import { calm, exchange, met } from './exchange.js';

const cutting = (exchange, ask, answer) => answer.socket.destroy();

/** Waits until a member is there that was not. */
async function arrival(peer, known = []) {
  const here = await peer.others();
  const fresh = here.find((id) => !known.includes(id));
  if (fresh) return fresh;
  const { peer: arrived } = await peer.read((message) => message.type === 'peer-joined' && !known.includes(message.peer.id));
  return arrived.id;
}

function isSame(client, id) {
  if (id !== client.id) throw new Failure('wrong', `it came back as ${id}`, `that it joins with its token, and so as ${client.id}`);
}

export default [
  {
    name: 'resume',
    promise: 'a new process with the seat of one that crashed is the same peer, and gets what came meanwhile',
    async run(stage) {
      const server = await stage.server();
      const wire = await stage.wire(server);
      const peer = await stage.peer(server);
      const first = await stage.client(wire.base);
      await exchange(first, peer, { rounds: 3 });
      await first.kill();
      await peer.send(first.id, 'meanwhile');
      const second = await stage.client(wire.base, { seat: first.seat });
      isSame(first, second.id);
      const got = await second.next('received');
      // What the first process had no time to acknowledge may come again; it had `end` last.
      if (got.data !== 'meanwhile') await second.next('received', { data: 'meanwhile' });
      return exchange(second, peer, { rounds: 3 });
    },
  },
  {
    name: 'restart-kept-key',
    promise: 'after a crash of a server with a kept key the client is back as the same peer; meanwhile it asks with pauses',
    async run(stage) {
      const server = await stage.server(KEPT);
      const wire = await stage.wire(server);
      const client = await stage.client(wire.base);
      await server.kill();
      await client.next('state', { state: 'reconnecting' });
      const paused = await calm(stage, wire, { seconds: 4, most: 20 });
      await server.start();
      const peer = await stage.peer(server);
      isSame(client, await stage.awaits('the client did not come back', arrival(peer)));
      await client.next('state', { state: 'connected' });
      return `${await exchange(client, peer, { rounds: 3 })}; during the outage ${paused}`;
    },
  },
  {
    name: 'pages-for-problems',
    promise: 'a client takes its seat again, even if a proxy replaces what the server says of it by pages of its own',
    async run(stage) {
      const server = await stage.server(KEPT);
      const wire = await stage.wire(server);
      const client = await stage.client(wire.base);
      wire.rule = async (_, ask, answer) => {
        const answered = await ask();
        if (![404, 410].includes(answered.status)) return pass(answer, answered);
        answer.writeHead(answered.status, { 'content-type': 'text/html' }).end('<h1>There is no such page</h1>');
      };
      await server.kill();
      await server.start();
      const peer = await stage.peer(server);
      isSame(client, await stage.awaits('the client did not come back', arrival(peer)));
      return exchange(client, peer, { rounds: 3 });
    },
  },
  {
    name: 'restart-new-key',
    promise: 'after a crash of a server with a random key the client discards its token and joins as a new peer',
    async run(stage) {
      const server = await stage.server();
      const wire = await stage.wire(server);
      const client = await stage.client(wire.base);
      await server.kill();
      await server.start();
      const peer = await stage.peer(server);
      const id = await stage.awaits('the client did not join again', arrival(peer));
      if (id === client.id) throw new Failure('wrong', 'it has its old id', 'a new one');
      return exchange(client, peer, { rounds: 3, id });
    },
  },
  {
    name: 'peer-gone',
    promise: 'a client whose seat has expired (410 peer-gone) takes it again, as the same peer',
    async run(stage) {
      const server = await stage.server(['--lease-ms', '15000']);
      const wire = await stage.wire(server);
      const client = await stage.client(wire.base);
      const peer = await stage.peer(server);
      wire.rule = cutting;
      await stage.awaits('the seat did not expire', peer.read(({ type, peer: gone }) => type === 'peer-left' && gone === client.id));
      wire.rule = passing;
      const { peer: back } = await stage.awaits('the client did not come back', peer.read(({ type }) => type === 'peer-joined'));
      isSame(client, back.id);
      if (!met(wire, 'peer-gone')) throw new Failure('wrong', 'it joined before it was told that its seat is gone', 'that it asks with its seat until then');
      return exchange(client, peer, { rounds: 3 });
    },
  },
  {
    name: 'full-return',
    promise: 'a member that finds its room full when it comes back waits until a seat is free',
    async run(stage) {
      const server = await stage.server(['--lease-ms', '15000']);
      const wire = await stage.wire(server);
      const client = await stage.client(wire.base);
      const peer = await stage.peer(server);
      wire.rule = cutting;
      await stage.awaits('the seat did not expire', peer.read(({ type, peer: gone }) => type === 'peer-left' && gone === client.id));
      const third = await stage.peer(server);
      // Keeps its seat until it leaves.
      void third.read(() => false).catch(() => {});
      wire.rule = passing;
      await stage.awaits('the third did not join', peer.read(({ type, peer: joined }) => type === 'peer-joined' && joined.id === third.id));
      // The kit's own member polls meanwhile, or it would lose its seat.
      const returned = peer.read(({ type }) => type === 'peer-joined');
      returned.catch(() => {});
      await stage.awaits('the client did not ask for its seat', wire.until(() => met(wire, 'room-full')));
      const paused = await calm(stage, wire, { seconds: 3, most: 8 });
      await third.ask('DELETE', `/peers/${third.id}`);
      const { peer: back } = await stage.awaits('the client did not come back', returned);
      isSame(client, back.id);
      return `${paused} while it was full; ${await exchange(client, peer, { rounds: 3 })}`;
    },
  },
  {
    name: 'cursor-gone',
    promise: 'a client whose mailbox is a new one (410 cursor-gone) continues with that',
    async run(stage) {
      const server = await stage.server(KEPT);
      const wire = await stage.wire(server);
      const client = await stage.client(wire.base);
      const [join] = wire.seen.filter(({ isJoin }) => isJoin);
      wire.rule = cutting;
      await client.next('state', { state: 'reconnecting' });
      await server.kill();
      await server.start();
      // The server knows the peer again before the client has asked: with a new mailbox.
      const token = wire.seen.find(({ isPoll }) => isPoll).token;
      const seat = await fetch(`${server.base}${join.asked.url}`, {
        method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }, body: join.asked.body,
      });
      if (seat.status !== 201) throw new Error(`the kit could not take the seat: ${seat.status}`);
      const peer = await stage.peer(server);
      wire.rule = passing;
      await stage.awaits('no poll met cursor-gone', wire.until(() => met(wire, 'cursor-gone')));
      await client.next('state', { state: 'connected' });
      isSame(client, (await peer.others()).join());
      return exchange(client, peer, { rounds: 3 });
    },
  },
  {
    name: 'drain',
    promise: 'a server that stops answers parked polls with 503; the client is back when it is',
    async run(stage) {
      const server = await stage.server(KEPT);
      const wire = await stage.wire(server);
      const client = await stage.client(wire.base);
      const first = await stage.peer(server);
      await client.next('arrived', { peer: first.id });
      await stage.awaits('the client did not poll again', wire.until(() => wire.seen.at(-1)?.isPoll === true && wire.seen.at(-1)?.answered === null));
      // It is held.
      await calm(stage, wire, { seconds: 1, most: 0 });
      await server.stop();
      await client.next('state', { state: 'reconnecting' });
      if (!met(wire, 'draining')) throw new Failure('wrong', 'it had no poll parked when the server stopped', 'that it polls all the time');
      const paused = await calm(stage, wire, { seconds: 3, most: 15 });
      await server.start();
      const peer = await stage.peer(server);
      isSame(client, await stage.awaits('the client did not come back', arrival(peer)));
      return `${await exchange(client, peer, { rounds: 3 })}; while it was down ${paused}`;
    },
  },
];
