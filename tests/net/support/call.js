import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Meeting } from './meeting.js';
import { record } from './table.js';

const NEVER = 'does not connect';

/**
 * Tests the outcome of a call in a network, given the ICE servers that the callers are told of.
 *
 * @param {string} network its name in docs/connectivity.md
 * @param {string[]} told
 * @param {string} expected the path of the media
 * @param {object} options of the network
 */
export const call = (network, told, expected, options) => test(`${network}, told of ${told.join(', ') || 'nothing'}: ${expected}`, () =>
  Meeting.hold({ ...options, told }, async (meeting) => {
    await meeting.begin();
    const row = expected === NEVER ? await meeting.failure(network) : await meeting.row(network, expected);
    assert.equal(row.media, expected);
    if (expected === 'relayed, tls' && told.includes('its own relay')) await meeting.picture();
    await record(row);
  }));
