import { Failure, judge } from '../kit/failure.js';

/**
 * Numbered messages both ways, each in a request of its own, between the client under test and a member of the kit's.
 *
 * @param {import('../kit/client.js').Client} client
 * @param {import('../kit/peer.js').Peer} peer
 * @param {{ rounds?: number, id?: string }} [more] `id` of the client, if it is not the one it joined with
 */
export async function exchange(client, peer, { rounds = 24, id = client.id } = {}) {
  const inbound = client.received(peer.id);
  const outbound = peer.received(id);
  // They are awaited below; a failure before that must not end the kit.
  for (const one of [inbound, outbound]) one.catch(() => {});
  for (let number = 0; number < rounds; number += 1) {
    await peer.send(id, number);
    await sends(client, peer.id, number);
  }
  await peer.send(id, 'end');
  await sends(client, peer.id, 'end');
  judge(await inbound, rounds, 'at the client');
  judge(await outbound, rounds, 'from the client');
  return `${rounds} messages each way`;
}

let sent = 0;

/** Has the client send data, and waits until it says that the server has it. */
export async function sends(client, to, data) {
  const id = begins(client, to, data);
  await client.next('sent', { id }, 'failed');
}

/** Has the client send data. Returns the id of the command. */
export function begins(client, to, data) {
  const id = sent += 1;
  client.do({ do: 'send', id, to, data });
  return id;
}

/**
 * Fails if more requests than `most` are made in a time. Waits until there were `least`.
 *
 * @param {import('../kit/stage.js').Stage} stage
 * @param {import('../kit/wire.js').Wire} wire
 * @param {{ seconds: number, most: number, least?: number }} bounds
 */
export async function calm(stage, wire, { seconds, most, least = 0 }) {
  const begun = performance.now();
  const before = wire.seen.length;
  const count = () => wire.seen.length - before;
  const done = stage.waits(() => `the client was watched; it made ${count()} requests`);
  await Promise.race([stage.pause(seconds * 1000), wire.until(() => count() > most)]);
  // On a busy machine, the request that is due may come a little later.
  await wire.until(() => count() >= least);
  done();
  const passed = Math.round((performance.now() - begun) / 100) / 10;
  if (count() > most) throw new Failure('storm', `${count()} requests in ${passed} s, such as ${wire.seen.at(-1)}`, `at most ${most} in ${seconds} s`);
  return `${count()} requests in ${passed} s`;
}

/** Was a request answered by the server with this problem? */
export const met = (wire, slug) => wire.seen.some(({ answered }) => answered?.text.includes(`/problems/${slug}`));
