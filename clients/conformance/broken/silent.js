// Broken on purpose: a seat that is gone is the end, although it could be taken again.

import { adapt } from '../adapters/javascript.js';

const END = { type: '/problems/kicked', title: 'The end', status: 403 };

await adapt({
  async fetch(url, init) {
    const response = await fetch(url, init);
    const gone = init.method === 'GET' && [401, 404, 410].includes(response.status);
    return gone ? Response.json(END, { status: END.status, headers: { 'content-type': 'application/problem+json' } }) : response;
  },
});
