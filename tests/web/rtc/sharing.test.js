import assert from 'node:assert/strict';
import { test } from 'node:test';

import { cardOf } from '../../../web/client/rtc/card.js';
import { OutgoingTracks } from '../../../web/client/rtc/outgoing-tracks.js';

function connection() {
  const transceivers = [];
  const addTransceiver = (track, { direction, streams }) => {
    const sender = { track, streams, replaceTrack: async (other) => void (sender.track = other), setStreams: (...all) => void (sender.streams = all) };
    transceivers.push({ sender, direction });
    return transceivers.at(-1);
  };
  return { addTransceiver, sent: () => transceivers.map(({ sender: { track, streams }, direction }) => [track?.id ?? null, streams[0].id, direction]) };
}

const stream = (id, ...kinds) => ({ id, getTracks: () => kinds.map((kind) => ({ kind, id: `${id} ${kind}` })) });

test('a screen is sent in a stream of its own, and the next one in the same sections', async () => {
  const pc = connection();
  const tracks = new OutgoingTracks(pc, cardOf({}), null);
  await tracks.share(stream('a', 'video', 'audio'));
  await tracks.share(null);
  assert.deepEqual(pc.sent(), [[null, 'a', 'inactive'], [null, 'a', 'inactive']]);
  await tracks.share(stream('b', 'video'));
  assert.deepEqual(pc.sent(), [[null, 'a', 'inactive'], ['b video', 'b', 'sendonly']]);
});

test('nothing is shared with a peer that negotiates once or does not receive', async () => {
  for (const rtc of [{ renegotiates: false }, { direction: 'sendonly' }]) {
    const pc = connection();
    await new OutgoingTracks(pc, cardOf({ rtc }), null).share(stream('a', 'video'));
    assert.deepEqual(pc.sent(), []);
  }
});
