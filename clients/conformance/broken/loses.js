// Broken on purpose: a response that could not be read is acknowledged all the same.

import { adapt } from '../adapters/javascript.js';

let unread = 0;

await adapt({
  async fetch(url, init) {
    const cursor = init.headers['Last-Event-ID'];
    if (cursor === undefined) return fetch(url, init);
    const response = await fetch(url, { ...init, headers: { ...init.headers, 'Last-Event-ID': String(Number(cursor) + unread) } });
    try {
      const text = await response.text();
      unread = 0;
      return new Response(text, response);
    } catch (error) {
      unread = 1;
      throw error;
    }
  },
});
