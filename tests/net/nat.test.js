import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { Meeting } from './support/meeting.js';
import { discard } from './support/services.js';
import { record } from './support/table.js';

after(discard);

/** A call in a network, that must go this way. */
const call = (network, expected, options) => test(`${network}, told of ${options.told.join(', ')}: ${expected}`, () =>
  Meeting.hold(options, async (meeting) => {
    await meeting.begin();
    const row = await meeting.row(network, expected);
    assert.equal(row.media, expected);
    await record(row);
  }));

call('cone NATs', 'through the NATs, udp', { nat: 'cone', told: ['its own STUN'] });
call('cone NATs', 'through the NATs, udp', { nat: 'cone', told: ['STUN', 'TURN/UDP'] });
call('symmetric NATs', 'relayed, udp', { nat: 'symmetric', told: ['STUN', 'TURN/UDP'] });
