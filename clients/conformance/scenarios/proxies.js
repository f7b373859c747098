import { Failure } from '../kit/failure.js';
import { gateway, pass, randomly } from '../kit/faults.js';
import { exchange } from './exchange.js';

/** The strictest idle limit: a poll that is held for longer never succeeds. */
const IDLE_MS = 6_000;

/** A poll that was held until its end, and not one that asks whether the server is there. */
const isHeld = ({ isPoll, answered, ms }) => isPoll && ms > 2_000 && answered?.status === 200 && JSON.parse(answered.text.toString()).messages.length === 0;

const asksAtOnce = ({ isPoll, asked }) => isPoll && Number(new URL(asked.url, 'http://kit').searchParams.get('wait') ?? 0) === 0;

const shortens = (name, promise, end) => ({
  name,
  promise,
  async run(stage) {
    // The kit's member does not poll meanwhile. Deno sends a request again whose connection was cut, and so needs a minute for this.
    const server = await stage.server(['--lease-ms', '120000']);
    let cuts = 0;
    const wire = await stage.wire(server, async ({ isPoll }, ask, answer) => {
      const asked = ask();
      if (!isPoll) return pass(answer, await asked);
      const late = stage.pause(IDLE_MS).then(() => null);
      const answered = await Promise.race([asked, late]);
      if (answered) return pass(answer, answered);
      asked.catch(() => {});
      cuts += 1;
      return end(answer);
    });
    const peer = await stage.peer(server);
    const client = await stage.client(wire.base);
    const begun = wire.seen.length;
    await stage.awaits(`each poll was held for longer than the proxy's ${IDLE_MS / 1000} s`, wire.until(() => wire.seen.slice(begun).some(isHeld)));
    return `after ${cuts} cuts a poll was answered in time; ${await exchange(client, peer, { rounds: 3 })}`;
  },
});

export default [
  shortens('idle-limit-504', 'a proxy that ends idle requests with 504 is asked for shorter holds', (answer) => gateway(answer, 504)),
  shortens('idle-limit-cut', 'a proxy that cuts idle connections is asked for shorter holds', (answer) => answer.socket.destroy()),
  {
    name: 'cache',
    promise: 'a cache that repeats responses to polls is recognised and got around',
    async run(stage) {
      const server = await stage.server();
      const kept = new Map();
      const wire = await stage.wire(server, async ({ isPoll, asked }, ask, answer) => {
        if (!isPoll) return pass(answer, await ask());
        if (!kept.has(asked.url)) kept.set(asked.url, await ask());
        return pass(answer, kept.get(asked.url));
      });
      const peer = await stage.peer(server);
      const client = await stage.client(wire.base);
      const said = await exchange(client, peer, { rounds: 5 });
      const polls = wire.seen.filter(({ isPoll }) => isPoll).length;
      if (polls > 60) throw new Failure('storm', `${polls} polls`, 'at most 60');
      return `${said} in ${polls} polls`;
    },
  },
  {
    name: 'late-errors',
    promise: 'a gateway that takes 4.5 s to say that the server is down is not taken for one that ends idle requests',
    async run(stage) {
      const server = await stage.server();
      let down = false;
      const wire = await stage.wire(server, async ({ isPoll }, ask, answer) => {
        if (!down || !isPoll) return pass(answer, await ask());
        await stage.pause(4_500);
        gateway(answer, 503);
      });
      const peer = await stage.peer(server);
      const client = await stage.client(wire.base);
      await exchange(client, peer, { rounds: 1 });
      down = true;
      const begun = wire.seen.length;
      await peer.send(client.id, 'the last one before it is down');
      await client.next('received', { data: 'the last one before it is down' });
      await stage.awaits('a poll asked for no hold', wire.until(() => wire.seen.slice(begun).some(asksAtOnce)));
      down = false;
      return exchange(client, peer, { rounds: 3 });
    },
  },
  {
    name: 'latency',
    promise: 'with 100 ms to 2 s for each exchange nothing is lost, doubled or out of order',
    async run(stage) {
      const server = await stage.server();
      const random = randomly(5);
      const wire = await stage.wire(server, async (_, ask, answer) => {
        const ms = 100 + 1900 * random();
        await stage.pause(ms * random());
        const answered = await ask();
        await stage.pause(ms * random());
        pass(answer, answered);
      });
      const peer = await stage.peer(server);
      const client = await stage.client(wire.base);
      return exchange(client, peer, { rounds: 10 });
    },
  },
  {
    name: 'black-hole',
    promise: 'a poll that is never answered is given up after its hold and a little more',
    async run(stage) {
      const server = await stage.server();
      const wire = await stage.wire(server, async ({ isPoll }, ask, answer) => {
        // The first poll is swallowed; its connection stays open.
        if (!isPoll || wire.seen.filter((one) => one.isPoll).length > 1) pass(answer, await ask());
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
