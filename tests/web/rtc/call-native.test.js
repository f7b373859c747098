import assert from 'node:assert/strict';
import { test } from 'node:test';

import { IncomingStreams } from '../../../web/client/rtc/incoming-streams.js';
import { settled } from '../support/clock.js';
import { couple, talk } from '../support/company.js';
import { connected } from '../support/connected.js';
import { FakeMediaStream } from '../support/peer-connection.js';
import { sdp } from '../support/sdp.js';

const named = (member, wanted) => member.events.filter(({ name }) => name === wanted);

/** A channel that the other end opens. */
function channel(label) {
  const said = [];
  return { label, readyState: 'open', said, send: (text) => said.push(text) };
}

const shows = (member) => named(member, 'stream').map(({ stream }) => [...stream.tracks ?? stream.getTracks()]);
const track = (kind) => ({ kind });
function stream(...tracks) {
  const made = new FakeMediaStream();
  for (const one of tracks) made.addTrack(one);
  return made;
}
const transceiver = (currentDirection = 'sendrecv') => ({ currentDirection });

// Regression: native peers add tracks without a stream (`a=msid:-`), which were decoded but not shown.
test('tracks without a stream are shown, together', async () => {
  const { ann } = await connected();
  const [audio, video] = [track('audio'), track('video')];
  ann.pc('ben').ontrack({ track: video, streams: [], transceiver: transceiver() });
  ann.pc('ben').ontrack({ track: audio, streams: [], transceiver: transceiver() });
  const [first, second] = named(ann, 'stream');
  assert.equal(first.stream, second.stream);
  assert.deepEqual([...second.stream.tracks], [video, audio]);
});

test('they join the stream that the other tracks are in, whichever comes first', async () => {
  for (const streamFirst of [true, false]) {
    const { ann } = await connected();
    const [audio, video] = [track('audio'), track('video')];
    const own = stream(video);
    const events = [{ track: video, streams: [own], transceiver: transceiver() }, { track: audio, streams: [], transceiver: transceiver() }];
    for (const event of streamFirst ? events : events.reverse()) ann.pc('ben').ontrack(event);
    assert.equal(named(ann, 'stream').at(-1).stream, own);
    assert.deepEqual(own.getTracks(), [video, audio]);
  }
});

// Regression: the camera became a second screen, and the peer's tile had no picture.
test('a camera without a stream does not join that of a screen, in whatever order they come', async () => {
  const [audio, camera, screen] = [track('audio'), track('video'), track('video')];
  const shared = [screen];
  for (const order of [[audio, camera, screen], [audio, screen, camera], [screen, audio, camera], [camera, screen, audio]]) {
    const { ann } = await connected();
    const its = stream(...shared);
    for (const one of order) ann.pc('ben').ontrack({ track: one, streams: one === screen ? [its] : [], transceiver: transceiver() });
    const home = named(ann, 'stream').map((event) => event.stream).findLast((one) => one !== its);
    assert.deepEqual([its.getTracks(), new Set(home.getTracks())], [[screen], new Set([audio, camera])]);
  }
});

test('a track without a stream needs a MediaStream, and says so if there is none', () => {
  const streams = new IncomingStreams({ MediaStream: undefined }, () => assert.fail('nothing can be shown'));
  assert.throws(() => streams.add({ track: track('video'), streams: [], transceiver: transceiver() }), { code: 'media-stream-missing' });
});

test('ICE servers are passed on only where connections take them', async () => {
  const { ann } = await connected();
  ann.pc('ben').setConfiguration = undefined;
  ann.room.emit('ice-servers', []);
  assert.equal(ann.link('ben').state, 'connected');
});

test('a track that is no longer sent is taken out again', async () => {
  const { ann, ben } = await connected();
  const [audio, video, sent] = [track('audio'), track('video'), transceiver()];
  ann.pc('ben').ontrack({ track: video, streams: [], transceiver: sent });
  ann.pc('ben').ontrack({ track: audio, streams: [], transceiver: transceiver() });
  sent.currentDirection = 'sendonly';
  await ann.hears('ben', { type: 'offer', sdp: sdp(ben.pc('ann').session) });
  assert.deepEqual(shows(ann).at(-1), [audio]);
});

test('a connection that replaces another has a stream of its own', async () => {
  const { ann, ben } = await connected();
  const event = { track: track('video'), streams: [], transceiver: transceiver() };
  ann.pc('ben').ontrack(event);
  ann.link('ben').offer();
  await talk(ann, ben);
  ann.pc('ben').ontrack(event);
  const [first, second] = named(ann, 'stream');
  assert.notEqual(first.stream, second.stream);
});

// The negotiated channel opens at this end even if the other does not know it. Regression: a peer that opened its own channel
// was answered on the negotiated one: chat was shown as sent, and was lost both ways.
test('a channel that the other opens itself is talked on, both ways', async () => {
  const { ann } = await connected();
  const pc = ann.pc('ben');
  const theirs = channel('anything');
  pc.ondatachannel({ channel: theirs });
  assert.equal(ann.call.say('hello'), 1);
  assert.deepEqual([theirs.said, pc.channel.said], [['hello'], []]);
  theirs.onmessage({ data: 'hi' });
  assert.deepEqual(named(ann, 'data').map(({ data }) => data), ['hi']);
  assert.equal(ann.link('ben').channel, theirs);
  assert.deepEqual(named(ann, 'channel').map(({ open }) => open), [true], 'it was open already');
});

// Regression: the first that could not take a text kept it from all peers after it.
test('a text that one peer cannot take is sent to the others', async () => {
  const { ann } = await connected();
  const theirs = channel('chat');
  theirs.send = () => { throw new TypeError('longer than a=max-message-size'); };
  ann.pc('ben').ondatachannel({ channel: theirs });
  assert.equal(ann.call.say('hello'), 0);
  theirs.send = () => {};
  assert.equal(ann.call.say('hello'), 1);
});

test('a peer is answered on the channel on which it was heard', async () => {
  const { ann } = await connected();
  const pc = ann.pc('ben');
  const theirs = channel('files');
  pc.ondatachannel({ channel: theirs });
  pc.channel.onmessage({ data: 'on the agreed one' });
  ann.call.say('hello');
  assert.deepEqual([theirs.said, pc.channel.said], [[], ['hello']]);
});

test('of several, the one called chat; when it closes, another', async () => {
  const { ann } = await connected();
  const [chat, other] = [channel('chat'), channel('other')];
  for (const one of [chat, other]) ann.pc('ben').ondatachannel({ channel: one });
  assert.equal(ann.link('ben').channel, chat);
  chat.readyState = 'closed';
  chat.onclose();
  assert.equal(ann.link('ben').channel, other);
  assert.equal(ann.link('ben').state, 'connected', 'its connection is still there');
});

test('whether anybody can be reached is told once, whatever carries it', async () => {
  const { ann } = await connected();
  ann.pc('ben').channel.readyState = 'connecting';
  ann.pc('ben').channel.onopen();
  const theirs = { ...channel('chat'), readyState: 'connecting' };
  ann.pc('ben').ondatachannel({ channel: theirs });
  theirs.readyState = 'open';
  theirs.onopen();
  theirs.readyState = 'closed';
  theirs.onclose();
  assert.deepEqual(named(ann, 'channel').map(({ open }) => open), [true, false, true, false]);
});

test('what is not text is handed over as bytes', async () => {
  const { ann } = await connected();
  const theirs = channel('chat');
  ann.pc('ben').ondatachannel({ channel: theirs });
  assert.equal(theirs.binaryType, 'arraybuffer');
});

// The DTLS client numbers its channels 0, 2, 4. Regression: an answerer that chose this role opened its own channel as 0, which
// ours already used, and waited forever for it to open.
test('the offerer is the DTLS client, and stays it', async () => {
  const { ann } = couple();
  const setup = async () => (await ann.said()).map(({ message }) => [message.type, /a=setup:(\S+)/.exec(message.sdp)[1]]);
  ann.call.start();
  assert.deepEqual(await setup(), [['offer', 'active']]);
  await ann.hears('ben', { type: 'answer', sdp: sdp('bens', { lines: ['a=setup:passive'] }) });
  ann.pc('ben').restartIce();
  await settled();
  assert.deepEqual(await setup(), [['offer', 'active']]);
});

test('a DTLS server says so in its own offers', async () => {
  for (const theirs of ['active', 'actpass']) {
    const { ann } = couple();
    ann.call.start();
    await ann.said();
    await ann.hears('ben', theirs === 'active'
      ? { type: 'answer', sdp: sdp('bens', { lines: ['a=setup:active'] }) }
      : { type: 'offer', sdp: sdp('bens', { lines: ['a=setup:actpass'] }) });
    await ann.said();
    ann.pc('ben').restartIce();
    await settled();
    const [{ message }] = await ann.said();
    assert.match(message.sdp, theirs === 'active' ? /a=setup:passive/ : /a=setup:active/);
  }
});
