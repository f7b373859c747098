// A member of a room in a worker: dedicated, shared or service. A page sends it where to join, and a port on which it tells what happens.

import { join } from '/client/index.js';

/** The next poll is interrupted as soon as it is under way. Tells whether it was given up for another one. */
let interrupt = null;

function fetchAndNote(url, init) {
  const response = fetch(url, init);
  if (interrupt && init.method === 'GET') {
    self.dispatchEvent(new Event('online'));
    interrupt(init.signal.aborted);
    interrupt = null;
  }
  return response;
}

async function member({ base, room: name }, port) {
  const room = await join(base, name, { name: 'Worker', fetch: fetchAndNote });
  room.on('message', async ({ from, data }) => {
    if (data === 'leave') return void room.leave();
    if (data !== 'online') return void room.send(from, { type: 'data', data: { echo: data } });
    const repeated = await new Promise((resolve) => { interrupt = resolve; });
    await room.send(from, { type: 'data', data: { repeated } });
  });
  try {
    room.call();
  } catch ({ code }) {
    port.postMessage(code);
  }
  await new Promise((resolve) => room.on('state', ({ state }) => state === 'closed' && resolve()));
  port.postMessage('closed');
}

function begin(event) {
  const done = member(event.data, event.ports[0]);
  // A service worker lasts for as long as its events do.
  event.waitUntil?.(done);
}

self.addEventListener('message', begin);
self.addEventListener('connect', ({ ports: [port] }) => {
  port.addEventListener('message', begin);
  port.start();
});
