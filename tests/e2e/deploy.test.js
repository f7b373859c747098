import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch, state, videoRuns, visit } from './support/browser.js';
import { Proxy } from './support/proxies.js';
import { Server } from './support/server.js';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

const post = (url, { token, body, ...headers } = {}) => fetch(url, {
  method: 'POST',
  headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }), ...headers },
  body: JSON.stringify(body ?? {}),
});

async function join(base, room) {
  const joined = await (await post(`${base}/v1/rooms/${room}/peers`)).json();
  const mailbox = `${base}/v1/rooms/${room}/peers/${joined.peer.id}/messages`;
  const poll = (wait, after, signal) => fetch(`${mailbox}?wait=${wait}&after=${after}`, { headers: { authorization: `Bearer ${joined.token}` }, signal });
  return { ...joined, mailbox, poll };
}

const parked = async (server) => Number((await (await fetch(`${server.base}/metrics`)).text()).match(/parked_polls (\d+)/)[1]);

for (const [name, start] of Object.entries({ nginx: Proxy.nginx, HAProxy: Proxy.haproxy })) {
  test(`${name} with the file in deploy/: long holds, nothing lost, vanished clients and true addresses seen, a whole call`, async () => {
    const server = await Server.start(['--trusted-proxy', '127.0.0.1', '--rate-join', '1', '--rate-send', '0', '--rate-poll', '0']);
    const proxy = await start(new URL(server.base).host);
    const [first, ann] = await Promise.all([join(proxy.base, 'hold'), join(proxy.base, 'tea')]);

    const held = ['25', '55'].map(async (wait) => {
      const { mailbox: _, poll } = wait === '25' ? first : await join(proxy.base, 'longer');
      const answer = await poll(wait, 0);
      return [answer.status, (await answer.json()).messages.length];
    });

    const numbers = Array.from({ length: 200 }, (_, number) => number);
    const sending = (async () => {
      for (const data of numbers) assert.equal((await post(ann.mailbox, { token: ann.token, body: { type: 'data', data } })).status, 202);
    })();
    const got = [];
    while (got.length < numbers.length) {
      const { messages } = await (await ann.poll(5, got.length)).json();
      got.push(...messages.map(({ data }) => data));
    }
    await sending;
    assert.deepEqual(got, numbers);

    const before = await parked(server);
    const leaving = new AbortController();
    const vanishing = ann.poll(25, numbers.length, leaving.signal).catch(() => {});
    while (await parked(server) !== before + 1) await new Promise(setImmediate);
    leaving.abort();
    await vanishing;
    while (await parked(server) !== before) await new Promise(setImmediate);

    // The proxy tells whose request it is, whatever the client says: all of these are from one address, and too many.
    const answers = await Promise.all(numbers.slice(0, 40).map((number) => post(`${proxy.base}/v1/rooms`, { 'x-forwarded-for': `203.0.113.${number}`, forwarded: `for=203.0.113.${number}` })));
    assert.ok(answers.some(({ status }) => status === 429), 'the client chose its address');

    assert.deepEqual(await Promise.all(held), [[200, 0], [200, 0]]);
    const pages = await Promise.all(['Ann', 'Ben'].map((name) => visit(browser, proxy.base, { room: 'call', name })));
    await Promise.all(pages.map((page) => state(page, 'connected')));
    await Promise.all(pages.map((page) => videoRuns(page)));
    await Promise.all(pages.map((page) => page.context().close()));
    await proxy.stop();
    await server.stop();
  });
}
