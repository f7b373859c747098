// Broken on purpose: a repeated request gets a new Idempotency-Key, so what the server has done already is done again.

import { randomUUID } from 'node:crypto';

import { adapt } from '../adapters/javascript.js';

await adapt({
  fetch: (url, init) => {
    const keyed = init.headers['Idempotency-Key'] !== undefined;
    return fetch(url, keyed ? { ...init, headers: { ...init.headers, 'Idempotency-Key': randomUUID() } } : init);
  },
});
