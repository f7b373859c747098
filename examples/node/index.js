// node index.js SERVER ROOM [NAME]: joins a room and sends each line of standard input to everybody in it.
import { createInterface } from 'node:readline';

import ndc from 'node-datachannel';
import { join } from 'signalpost';

import { Link } from './link.js';

const [server, roomName, name = 'node'] = process.argv.slice(2);
if (!roomName) fail('usage: node index.js SERVER ROOM [NAME]');
const print = (text) => console.log(text);

const room = await join(server, roomName, { name, onRetry: ({ error }) => console.error(error.message) })
  .catch((error) => fail(error.message));
const lines = createInterface({ input: process.stdin });
/** By peer id. */
const links = new Map();

room.on('peer-joined', (peer) => {
  print(`${peer.name} is here`);
  // This goes through the server, so no connection is needed.
  room.send(peer.id, { type: 'data', data: `welcome to ${room.name}` }).catch((error) => print(error.message));
});
room.on('peer-left', ({ peer, reason }) => {
  print(`${peer.name} has gone (${reason})`);
  links.get(peer.id)?.close();
  links.delete(peer.id);
});
room.on('message', (message) => {
  const peer = room.peers.get(message.from);
  if (!peer) return;
  if (message.type === 'data') return print(`${peer.name} by mailbox: ${message.data}`);
  if (message.type === 'offer' && !links.get(peer.id)?.continues(message.sdp)) connect(peer);
  links.get(peer.id)?.take(message);
});
room.on('state', ({ state }) => {
  print(`room: ${state}`);
  // The other states are final.
  if (state !== 'connected' && state !== 'reconnecting') lines.close();
});

// A newcomer offers to everybody who is there already.
for (const peer of room.peers.values()) connect(peer).offer();
print(`in ${room.name} as ${name}`);

process.once('SIGINT', () => lines.close());
for await (const line of lines) {
  for (const link of links.values()) link.say(line);
}
for (const link of links.values()) link.close();
await room.leave();
ndc.cleanup();

function connect(peer) {
  links.get(peer.id)?.close();
  const link = new Link(room, peer, print);
  links.set(peer.id, link);
  return link;
}

function fail(text) {
  console.error(text);
  process.exit(1);
}
