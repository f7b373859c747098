import assert from 'node:assert/strict';
import { test } from 'node:test';

import { direct } from '../../../web/client/rtc/receiving.js';
import { talk } from '../support/company.js';
import { connected } from '../support/connected.js';

const pcWith = (...directions) => {
  const transceivers = directions.map((direction) => ({ direction }));
  return { getTransceivers: () => transceivers, now: () => transceivers.map(({ direction }) => direction) };
};

test('media are not received, or received again, whatever is sent', () => {
  const pc = pcWith('recvonly', 'sendrecv', 'sendonly', 'inactive', 'stopped');
  direct(pc, false);
  assert.deepEqual(pc.now(), ['inactive', 'sendonly', 'sendonly', 'inactive', 'stopped']);
  direct(pc, true);
  assert.deepEqual(pc.now(), ['recvonly', 'sendrecv', 'sendrecv', 'recvonly', 'stopped']);
});

test('a call without media answers each offer so, until they are wanted', async () => {
  const { ann, ben } = await connected({ receive: false });
  const pc = ann.pc('ben');
  pc.transceivers = [{ direction: 'recvonly' }];
  ben.pc('ann').restartIce();
  await talk(ann, ben);
  assert.equal(pc.transceivers[0].direction, 'inactive');
  ann.call.receive(true);
  await talk(ann, ben);
  assert.equal(pc.transceivers[0].direction, 'recvonly');
});
