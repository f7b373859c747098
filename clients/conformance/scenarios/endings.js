import { Failure } from '../kit/failure.js';
import { judge } from '../kit/failure.js';
import { begins, calm, exchange } from './exchange.js';

export default [
  {
    name: 'superseded',
    promise: 'of two processes with one seat the newer has it; the older is told, and stops',
    async run(stage) {
      const server = await stage.server();
      const wire = await stage.wire(server);
      const peer = await stage.peer(server);
      const first = await stage.client(wire.base);
      const second = await stage.client(server.base, { seat: first.seat });
      await first.next('state', { state: 'superseded' });
      await calm(stage, wire, { seconds: 3, most: 0 });
      return `the older is silent; the newer: ${await exchange(second, peer, { rounds: 3 })}`;
    },
  },
  {
    name: 'kicked',
    promise: 'a peer that was removed is told, and does not come back',
    async run(stage) {
      const server = await stage.server();
      const wire = await stage.wire(server);
      const peer = await stage.peer(server);
      const client = await stage.client(wire.base);
      await peer.ask('DELETE', `/peers/${client.id}`, { token: peer.joined.room_token });
      await client.next('state', { state: 'kicked' });
      await calm(stage, wire, { seconds: 3, most: 0 });
      if ((await peer.others()).length > 0) throw new Failure('wrong', 'it is in the room', 'that it stays away');
      return 'told, and silent';
    },
  },
  {
    name: 'room-closed',
    promise: 'a room that its creator closes is over; nobody joins it again',
    async run(stage) {
      const server = await stage.server();
      const wire = await stage.wire(server);
      const peer = await stage.peer(server);
      const client = await stage.client(wire.base);
      await peer.ask('DELETE', '', { token: peer.joined.room_token });
      await client.next('state', { state: 'closed' });
      await calm(stage, wire, { seconds: 3, most: 0 });
      return 'told, and silent';
    },
  },
  {
    name: 'goodbye',
    promise: 'leaving sends what is queued, and gives up the seat at once',
    async run(stage) {
      const server = await stage.server();
      const wire = await stage.wire(server);
      const peer = await stage.peer(server);
      const client = await stage.client(wire.base);
      for (let number = 0; number < 80; number += 1) begins(client, peer.id, number);
      begins(client, peer.id, 'end');
      client.do({ do: 'leave' });
      judge(await peer.received(client.id), 80, 'from the client');
      const { reason } = await stage.awaits('the others were not told that it left', peer.read(({ type }) => type === 'peer-left'));
      if (reason !== 'left') throw new Failure('wrong', `it ${reason}`, 'that it leaves, with DELETE');
      const code = await client.exited();
      if (code !== 0) throw new Failure('wrong', `it ended with ${code}`, '0');
      return '80 messages, and it left';
    },
  },
];
