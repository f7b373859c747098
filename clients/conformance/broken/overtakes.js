// Broken on purpose: messages are sent in requests of their own, which overtake each other.

import { randomUUID } from 'node:crypto';

import { adapt } from '../adapters/javascript.js';

let root, authorization;

const noting = (url, init) => {
  root = url.replace(/\/(peers|messages)(\/.*)?$/, '');
  authorization = init.headers.Authorization;
  return fetch(url, init);
};

async function post(to, message) {
  const headers = { authorization, 'content-type': 'application/json', 'idempotency-key': randomUUID() };
  await fetch(`${root}/messages`, { method: 'POST', headers, body: JSON.stringify({ messages: [{ to, ...message }] }) });
}

await adapt({ fetch: noting }, () => post);
