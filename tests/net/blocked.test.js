import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { Meeting } from './support/meeting.js';
import { discard } from './support/services.js';
import { record } from './support/table.js';

after(discard);

/** What a call comes to in a network, when the callers are told of these. */
const call = (network, told, expected, options) => test(`${network}, told of ${told.join(', ') || 'nothing'}: ${expected}`, () =>
  Meeting.hold({ ...options, told }, async (meeting) => {
    await meeting.begin();
    const row = expected === 'does not connect' ? await meeting.failure(network) : await meeting.row(network, expected);
    assert.equal(row.media, expected);
    await record(row);
  }));

call('cone NATs', [], 'does not connect', { nat: 'cone' });
call('symmetric NATs', ['STUN'], 'does not connect', { nat: 'symmetric' });
call('UDP blocked', ['STUN', 'TURN/UDP'], 'does not connect', { out: 'no UDP' });
call('UDP blocked', ['STUN', 'TURN/UDP', 'TURN/TCP'], 'relayed, tcp', { out: 'no UDP' });
call('only an HTTP proxy', ['STUN', 'TURN/UDP', 'TURN/TCP'], 'does not connect', { out: 'only an HTTP proxy' });
call('only an HTTP proxy', ['STUN', 'TURN/UDP', 'TURN/TCP', 'TURN/TLS'], 'relayed, tls', { out: 'only an HTTP proxy' });
