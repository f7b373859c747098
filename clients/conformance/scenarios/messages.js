import { Failure, judge } from '../kit/failure.js';
import { faults, pass, randomly } from '../kit/faults.js';
import { begins, exchange, met, sends } from './exchange.js';

export default [
  {
    name: 'messages',
    promise: 'messages go both ways; members are told of; the cursor acknowledges what was received',
    async run(stage) {
      const server = await stage.server();
      const wire = await stage.wire(server);
      const client = await stage.client(wire.base);
      const peer = await stage.peer(server);
      await client.next('arrived', { peer: peer.id });
      const said = await exchange(client, peer);
      const last = await peer.send(client.id, 'last').then(({ accepted }) => accepted[0].seq);
      await client.next('received', { data: 'last' });
      const polls = () => wire.seen.filter(({ isPoll }) => isPoll).map(({ cursor }) => cursor);
      await stage.awaits(`no poll acknowledged message ${last}; the last had the cursor ${polls().at(-1)}`, wire.until(() => polls().some((cursor) => cursor === last)));
      if (polls().some((cursor) => cursor > last)) throw new Failure('wrong', `a poll with the cursor ${Math.max(...polls())}`, `none above ${last}`);
      await peer.ask('DELETE', `/peers/${peer.id}`);
      await client.next('left', { peer: peer.id, reason: 'left' });
      return `${said}, acknowledged up to ${last}`;
    },
  },
  {
    name: 'order',
    promise: 'messages to a peer arrive in the order in which they were sent, even if requests take different times',
    async run(stage) {
      const server = await stage.server();
      const random = randomly(1);
      const wire = await stage.wire(server, async ({ isPost }, ask, answer) => {
        if (isPost) await stage.pause(120 * random());
        pass(answer, await ask());
      });
      const peer = await stage.peer(server);
      const client = await stage.client(wire.base);
      for (let number = 0; number < 60; number += 1) {
        begins(client, peer.id, number);
        if (number % 6 === 5) await stage.pause(20);
      }
      for (let number = 0; number < 60; number += 1) await client.next('sent');
      await sends(client, peer.id, 'end');
      judge(await peer.received(client.id), 60, 'from the client');
      return '60 messages';
    },
  },
  {
    name: 'unknown-recipient',
    promise: 'a message to a peer that is gone fails; the seat is kept, and other messages arrive',
    async run(stage) {
      const server = await stage.server();
      const wire = await stage.wire(server);
      const peer = await stage.peer(server);
      const client = await stage.client(wire.base);
      const id = begins(client, '00000000-0000-4000-8000-000000000000', 'lost');
      const { problem } = await client.next('failed', { id });
      if (problem !== 'peer-unknown') throw new Failure('wrong', `it says ${problem}`, 'peer-unknown');
      const said = await exchange(client, peer, { rounds: 3 });
      const joins = wire.seen.filter(({ isJoin }) => isJoin).length;
      if (joins > 1) throw new Failure('wrong', 'it joined again', 'that it keeps its seat');
      return `peer-unknown, then ${said}`;
    },
  },
  {
    name: 'full-mailbox',
    promise: 'a full mailbox makes the sender wait as long as asked; nothing is lost or overtaken',
    async run(stage) {
      const server = await stage.server(['--mailbox-messages', '30']);
      const wire = await stage.wire(server);
      const peer = await stage.peer(server);
      const client = await stage.client(wire.base);
      for (let number = 0; number < 150; number += 1) begins(client, peer.id, number);
      begins(client, peer.id, 'end');
      await stage.awaits('the mailbox was not filled', wire.until(() => met(wire, 'mailbox-full')));
      const before = wire.seen.filter(({ isPost }) => isPost).length;
      await stage.pause(5_000);
      const posts = wire.seen.filter(({ isPost }) => isPost).length - before;
      // Two a second, and those that find out which message does not fit.
      if (posts > 20) throw new Failure('storm', `${posts} posts in 5 s to a full mailbox`, 'at most 20');
      judge(await peer.received(client.id), 150, 'from the client');
      return `150 messages; ${posts} posts in 5 s while it was full`;
    },
  },
  {
    name: 'newer-server',
    promise: 'messages of unknown types are skipped, and unknown members do no harm',
    async run(stage) {
      const server = await stage.server();
      const wire = await stage.wire(server, async ({ isPoll }, ask, answer) => {
        const answered = await ask();
        if (!isPoll || answered.status !== 200) return pass(answer, answered);
        const batch = JSON.parse(answered.text.toString());
        for (const message of batch.messages) {
          message.novelty = { deep: [1] };
          if (message.data === 'new') Object.assign(message, { type: 'novelty', data: undefined });
        }
        batch.novelty = true;
        answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(batch));
      });
      const peer = await stage.peer(server);
      const client = await stage.client(wire.base);
      await peer.send(client.id, 'new', 'old');
      const { data } = await client.next('received');
      if (data !== 'old') throw new Failure('wrong', `it received ${JSON.stringify(data)}`, 'only the message that it can know');
      return exchange(client, peer, { rounds: 5 });
    },
  },
  {
    name: 'many',
    promise: 'thousands of messages both ways on a wire that breaks every tenth exchange',
    seconds: 600,
    async run(stage) {
      const server = await stage.server();
      const random = randomly(7);
      const all = Object.values(faults(random));
      const wire = await stage.wire(server, async ({ isPoll, isPost }, ask, answer) => {
        if ((isPoll || isPost) && random() < 0.1) return all[Math.floor(random() * all.length)](ask, answer);
        return pass(answer, await ask());
      });
      const peer = await stage.peer(server);
      const client = await stage.client(wire.base);
      const count = Math.ceil(stage.sizes.messages / 2);
      const [inbound, outbound] = [client.received(peer.id), peer.received(client.id)];
      for (const one of [inbound, outbound]) one.catch(() => {});
      for (let number = 0; number < count; number += 1) begins(client, peer.id, number);
      begins(client, peer.id, 'end');
      await peer.sendAll(client.id, count);
      judge(await inbound, count, 'at the client');
      judge(await outbound, count, 'from the client');
      return `${2 * count} messages in ${wire.seen.length} exchanges`;
    },
  },
];
