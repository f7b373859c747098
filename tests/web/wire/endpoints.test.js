import assert from 'node:assert/strict';
import { test } from 'node:test';

import { endpoints } from '../../../web/client/wire/endpoints.js';
import { join } from '../../../web/client/index.js';

// `fetch('/v1/rooms/../peers')` requests `/v1/peers`, for which the server can only report that no route matches.
for (const room of ['', '.', '..']) {
  test(`a room ${JSON.stringify(room)} is refused before anything is asked`, async () => {
    let asked = 0;
    const fetch = () => { asked += 1; return Promise.reject(new TypeError('not expected')); };
    await assert.rejects(join('https://signal.example', room, { fetch }), (error) => {
      assert.deepEqual([error.name, error.slug, error.status], ['Problem', 'room-name-invalid', 422]);
      return true;
    });
    assert.equal(asked, 0);
  });
}

test('other names with dots are names like any other', () => {
  for (const room of ['...', '.a', 'a..', '..a', '.-.']) {
    const { join: address } = endpoints('https://signal.example', room, 'p');
    assert.equal(new URL(address).pathname, `/v1/rooms/${room}/peers`);
  }
});

test('a server under a path has all its addresses under it', () => {
  for (const base of ['/signal', '/signal/', 'https://signal.example/signal/']) {
    const at = endpoints(base, 'tea', 'p');
    for (const address of [at.join, at.outbox, at.seat('x'), at.mailbox('x', 1000), at.leave('x'), at.iceServers('x', 'n')]) {
      assert.ok(new URL(address, 'https://signal.example').pathname.startsWith('/signal/v1/rooms/tea/'), address);
    }
  }
});

// The link to a room, as the page copies it, was taken for a server: 405.
test('a base with a query or a fragment is refused, and its key not repeated', () => {
  for (const base of ['https://signal.example/?room=tea#key=secret', '/#key=secret', new URL('https://signal.example/?secret')]) {
    assert.throws(() => endpoints(base, 'tea', 'p'), (error) => error instanceof TypeError && /no query and no fragment/.test(error.message) && !error.message.includes('secret'));
  }
});
