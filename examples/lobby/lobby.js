// node lobby.js SERVER: puts people who wait in a room into rooms of their own, in the order in which they ask.
import { parseArgs } from 'node:util';

import { join } from '../../web/client/index.js';
import { Host } from './host.js';
import { seatFile } from './seat-file.js';
import { serve } from './site.js';

const USAGE = `usage: node lobby.js SERVER [options]

  --room NAME      the room in which people wait (lobby)
  --seats N        its seats, one of which is this program's; at most the server's --room-capacity-max (64)
  --size N         how many people are put into a room (2)
  --port N         where the page is served; 0 for any free port (8090)
  --address IP     the address for that (127.0.0.1)
  --public URL     the server's URL for browsers, if it differs from SERVER
  --seat-file FILE where this program keeps its seat for the next start (lobby-seat.json)

Ctrl+C stops it. It keeps its seat for 45 s: started again, it hears those who asked meanwhile.`;

const { server, ...options } = parse();
const room = await enter();
const host = new Host(room, options.size, console.log);
room.on('state', ({ state, error }) => {
  console.log(`room: ${state}${error ? ` (${error.message})` : ''}`);
  // The other states are final.
  if (state === 'superseded') fail('Another lobby.js with the same seat file has taken over.');
  if (state === 'closed' || state === 'kicked') fail('The room has ended for this program.');
});
const site = await serve(options, () => ({
  server: options.public ?? server,
  room: room.name,
  seats: options.seats,
  host: room.self.id,
})).catch((error) => fail(error.message));
host.start();
console.log(`people wait in ${room.name}; the page is at ${site}`);

// Not `room.leave()`: people stay in the room, and requests made meanwhile are read after the next start.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(0));

function parse() {
  const text = (fallback) => ({ type: 'string', ...(fallback && { default: fallback }) });
  const known = {
    ...{ help: { type: 'boolean' }, room: text('lobby'), seats: text('64'), size: text('2'), port: text('8090') },
    ...{ address: text('127.0.0.1'), public: text(), 'seat-file': text('lobby-seat.json') },
  };
  try {
    const { values, positionals } = parseArgs({ options: known, allowPositionals: true });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    const [seats, size, port] = ['seats', 'size', 'port'].map((name) => Number(values[name]));
    const valid = Number.isInteger(seats) && Number.isInteger(size) && Number.isInteger(port) && size > 1 && seats > size;
    if (positionals.length !== 1 || !valid) fail(USAGE);
    return { ...values, seats, size, port, server: withSlash(positionals[0]), public: values.public && withSlash(values.public) };
  } catch (error) {
    return fail(`${error.message}\n\n${USAGE}`);
  }
}

/** Otherwise the last part of its path would be lost when the page appends to it. */
function withSlash(url) {
  return new URL(url.replace(/\/*$/, '/')).href;
}

async function enter() {
  try {
    return await join(server, options.room, {
      name: 'Lobby',
      metadata: { lobby: true },
      capacity: options.seats,
      storage: seatFile(options['seat-file']),
      onRetry: ({ error }) => console.log(error.message),
    });
  } catch (error) {
    const { slug, document } = error;
    if (slug === 'room-full') return fail(`The room ${options.room} is full, without this program in it. Wait until somebody leaves, or use another --room.`);
    if (document?.capacity_max) return fail(`${error.message} Use --seats ${document.capacity_max}, or start the server with a larger --room-capacity-max.`);
    return fail(error.message);
  }
}

function fail(text) {
  console.error(text);
  process.exit(1);
}
