// Our JavaScript client under Node.js, for the kit. An application passes other members of the environment in the same way:
// broken/ does, to break it.

import { createInterface } from 'node:readline';

import { Problem, join } from '../../../web/client/index.js';

const say = (event, more = {}) => process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
const slugOf = (error) => (error instanceof Problem ? error.slug : error.name);

/**
 * A storage that can be handed to the next process, which may reach the server at another address.
 *
 * @param {Record<string, string>} entries
 */
function storageOf(entries) {
  const short = (key) => key.replace(/:https?:.*\/v1\//, ':');
  return {
    getItem: (key) => entries[short(key)] ?? null,
    setItem: (key, value) => { entries[short(key)] = value; },
    removeItem: (key) => { delete entries[short(key)]; },
  };
}

/**
 * @param {Partial<import('../../../web/client/types.d.ts').Environment>} [environment]
 * @param {(room: import('../../../web/client/types.d.ts').Room) => typeof room.send} [sender]
 */
export async function adapt(environment = {}, sender = (room) => room.send.bind(room)) {
  let room, send;
  const commands = {
    async join({ base, room: name, seat = {}, name: self, key }) {
      const kept = { ...seat };
      try {
        room = await join(base, name, { ...environment, name: self, key, storage: storageOf(kept) });
      } catch (error) {
        return say('refused', { problem: slugOf(error) });
      }
      send = sender(room);
      say('joined', { peer: room.self.id, peers: [...room.peers.keys()], seat: kept });
      room.on('message', ({ from, type, data }) => type === 'data' && say('received', { from, data }));
      room.on('peer-joined', ({ id }) => say('arrived', { peer: id }));
      room.on('peer-left', ({ peer, reason }) => say('left', { peer: peer.id, reason }));
      room.on('state', ({ state }) => say('state', { state }));
    },
    send({ id, to, data }) {
      send(to, { type: 'data', data }).then(() => say('sent', { id }), (error) => say('failed', { id, problem: slugOf(error) }));
    },
    async leave() {
      await room.leave();
      process.exit(0);
    },
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line);
    // A join is finished before the next command; the others are not waited for.
    const done = commands[command.do](command);
    if (command.do === 'join') await done;
  }
}

if (import.meta.url === new URL(`file://${process.argv[1]}`).href) await adapt();
