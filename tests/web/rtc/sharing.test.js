import assert from 'node:assert/strict';
import { test } from 'node:test';

import { cardOf } from '../../../web/client/rtc/card.js';
import { OutgoingTracks } from '../../../web/client/rtc/outgoing-tracks.js';

/** With the rules of browsers for sections that the peer has rejected: nothing about them can be changed. */
function connection() {
  const transceivers = [];
  const addTransceiver = (track, { direction, streams }) => {
    const check = () => { if (transceiver.stopped) throw new DOMException('', 'InvalidStateError'); };
    const sender = {
      track,
      async replaceTrack(other) { check(); sender.track = other; },
      setStreams(...all) { check(); sender.streams = all; },
      streams,
    };
    const transceiver = {
      sender,
      receiver: { track: { kind: track.kind } },
      stopped: false,
      get direction() { return transceiver.stopped ? 'stopped' : direction; },
      set direction(wanted) { check(); direction = wanted; },
    };
    transceivers.push(transceiver);
    return transceiver;
  };
  return {
    addTransceiver,
    addTrack: (track, stream) => addTransceiver(track, { direction: 'sendrecv', streams: [stream] }).sender,
    getTransceivers: () => transceivers,
    /** Chromium removes those that are stopped, and Firefox does not. */
    reject(kind, removed) {
      const at = transceivers.findIndex(({ receiver }) => receiver.track.kind === kind);
      transceivers[at].stopped = true;
      if (removed) transceivers.splice(at, 1);
    },
    sent: () => transceivers.map(({ sender: { track, streams: of }, direction }) => [track?.id ?? null, of[0].id, direction]),
  };
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

// Regression: peers without a camera answer so; with each change of a device the whole connection was made anew.
test('what the peer has rejected is not sent, and all else is', async () => {
  for (const removed of [false, true]) {
    const pc = connection();
    const tracks = new OutgoingTracks(pc, cardOf({}), stream('a', 'audio', 'video'));
    pc.reject('video', removed);
    await tracks.replace(stream('b', 'audio', 'video'));
    await tracks.replace(stream('c', 'audio'));
    assert.deepEqual(pc.sent()[0], ['c audio', 'a', 'sendrecv']);
    assert.equal(pc.sent().length, removed ? 1 : 2);
  }
});

test('a screen that the peer has rejected ends without an error', async () => {
  for (const removed of [false, true]) {
    const pc = connection();
    const tracks = new OutgoingTracks(pc, cardOf({}), null);
    await tracks.share(stream('a', 'video', 'audio'));
    pc.reject('video', removed);
    await tracks.share(null);
    await tracks.share(stream('b', 'video', 'audio'));
    assert.deepEqual(pc.sent()[0], ['b audio', 'b', 'sendonly']);
    assert.equal(pc.sent().length, removed ? 1 : 2);
  }
});
