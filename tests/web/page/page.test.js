import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { invitation, readAddress } from '../../../web/app/address.js';
import { list } from '../../../web/app/languages/say.js';
import { suggestRoomName, toApiName, toRoomName } from '../../../web/app/room-name.js';
import { summarize } from '../../../web/app/words.js';

// ---- Addresses and names -----------------------------------------------------------------------------------------

test('an address says what is wished for', () => {
  assert.deepEqual(readAddress('https://x.example/?room=tea&name=Ann&media=audio&capacity=4#secret=s%20t&ticket=e.y.J'), {
    room: 'tea',
    name: 'Ann',
    media: 'audio',
    capacity: 4,
    secret: 's t',
    ticket: 'e.y.J',
    seal: undefined,
  });
});

test('what an address leaves out, or says wrongly, is not wished for', () => {
  const nothing = { room: undefined, name: undefined, media: undefined, capacity: undefined, secret: undefined, ticket: undefined, seal: undefined };
  assert.deepEqual(readAddress('https://x.example/'), nothing);
  assert.deepEqual(readAddress('https://x.example/?room=%2F&media=smell&capacity=-1'), nothing);
  assert.equal(readAddress('https://x.example/?name=').name, '', 'an empty name is a name: it joins at once');
});

test('an invitation names the room and its secret, and nobody', () => {
  const own = 'https://x.example/?room=old&name=Ann&media=none#secret=old&ticket=hers';
  assert.equal(invitation(own, { room: 'tea' }), 'https://x.example/?room=tea');
  const secret = 'a&b c#d';
  const shared = invitation(own, { room: 'tea', secret });
  assert.equal(readAddress(shared).secret, secret);
  assert.equal(new URL(shared).search, '?room=tea', 'the secret stays out of what servers see');
});

// It had 34 bits, few enough to find rooms by trying names.
test('a suggested room name can be read aloud, is valid, and carries 128 random bits', () => {
  const names = new Set(Array.from({ length: 200 }, () => suggestRoomName()));
  assert.equal(names.size, 200);
  for (const name of names) {
    assert.match(name, /^([b-z][aiou][b-z][aiou][b-z](-|$)){8}$/);
    assert.deepEqual([toRoomName(name), toApiName(name)], [name, name]);
  }
  // The example of the proposal: 127.0.0.1 and 63.84.220.193.
  assert.equal(suggestRoomName(new Uint16Array([0x7f00, 0x0001, 0x3f54, 0xdcc1])), 'lusab-babad-gutih-tugad');
  // Each bit of the random numbers shows.
  const bits = Array.from({ length: 16 }, (_, bit) => suggestRoomName(new Uint16Array([1 << bit])));
  assert.equal(new Set(bits).size, 16);
  assert.equal([...names][0].split('-').length * 16, 128);
});

// ---- Words -------------------------------------------------------------------------------------------------------

const inside = (more) => ({ phase: 'inside', room: 'connected', links: [], news: '', ...more });
const link = (name, state) => ({ name, state });

/** Each row: the facts, the state of the page, the words. */
const moments = [
  [{ phase: 'asking' }, 'joining', 'Asking for camera and microphone…'],
  [{ phase: 'joining' }, 'joining', 'Joining…'],
  [{ phase: 'unanswered' }, 'joining', 'The server does not respond – retrying'],
  [{ phase: 'full', freesInMs: 11_001 }, 'full', 'Room is full – a seat may become free in 12 s'],
  [{ phase: 'full', freesInMs: -300 }, 'full', 'Room is full – a seat may become free in 0 s'],
  [{ phase: 'full', freesInMs: null }, 'full', 'Room is full – waiting for somebody to leave'],
  [{ phase: 'refused', refusal: { slug: 'kicked', message: '' } }, 'kicked', 'You were removed from this room'],
  [{ phase: 'refused', refusal: { slug: 'room-closed', message: '' } }, 'closed', 'The room was closed'],
  [{ phase: 'refused', refusal: { slug: 'secret-missing', message: '' } }, 'error', 'This room has a secret – please enter it'],
  [{ phase: 'refused', refusal: { slug: 'secret-wrong', message: '' } }, 'error', 'That is not this room’s secret – please try again'],
  [{ phase: 'refused', refusal: { slug: 'secret-unexpected', message: '' } }, 'error', 'Somebody else opened this room, without your secret – please agree on another name'],
  [{ phase: 'refused', refusal: { slug: 'invalid', message: '', secretMin: 8 } }, 'error', 'A room’s secret has at least 8 characters – please enter all of it'],
  [{ phase: 'refused', refusal: { slug: 'invalid', message: '', capacityMax: 64 } }, 'error', 'Rooms on this server have at most 64 seats – join to open one with 64'],
  [{ phase: 'refused', refusal: { slug: 'ticket-missing', message: '' } }, 'error', 'This server lets in only people with a personal link – please open the link you were sent'],
  [{ phase: 'refused', refusal: { slug: 'ticket-expired', message: '' } }, 'error', 'Your link has expired, or is not valid yet – please get a new one'],
  [{ phase: 'refused', refusal: { slug: 'ticket-signature', message: '' } }, 'error', 'Your link is not valid here – please get a new one'],
  [{ phase: 'refused', refusal: { slug: 'declined', message: '', name: 'Ann' } }, 'error', 'Ann declined the call.'],
  [{ phase: 'refused', refusal: { message: 'No more rooms.', action: 'Try later.' } }, 'error', 'No more rooms. Try later.'],
  [inside({}), 'waiting', 'Waiting for somebody to join'],
  [inside({ news: 'Ben hung up' }), 'waiting', 'Ben hung up – waiting for somebody to join'],
  [inside({ links: [link('Ben', 'waiting')] }), 'connecting', 'Connecting to Ben…'],
  [inside({ links: [link('Ben', 'connecting')] }), 'connecting', 'Connecting to Ben…'],
  [inside({ links: [link('Ben', 'connected')], news: 'Cem left' }), 'connected', 'Connected to Ben'],
  [inside({ links: [link('Ben', 'interrupted')] }), 'connecting', 'Repairing the connection to Ben…'],
  [inside({ links: [link('Ben', 'failed')] }), 'connecting', 'Could not connect to Ben'],
  [inside({ links: [link('Ben', 'connected'), link('Cem', 'connecting')] }), 'connected', 'Connected to Ben · Connecting to Cem…'],
  [inside({ callers: ['Ben'] }), 'waiting', 'Ben is calling'],
  [inside({ callers: ['Ben', 'Cem'] }), 'waiting', 'Ben and Cem are calling'],
  [inside({ links: [link('Ben', 'connected')], callers: ['Cem'] }), 'connected', 'Cem is calling · Connected to Ben'],
  [inside({ links: [link('Ann', 'calling')] }), 'connecting', 'Calling Ann…'],
  [inside({ room: 'reconnecting' }), 'reconnecting', 'The server does not respond – retrying'],
  [inside({ room: 'reconnecting', links: [link('Ben', 'connected')] }), 'reconnecting', 'Reconnecting to the server… (the call continues)'],
  [inside({ room: 'superseded' }), 'superseded', 'This call is open in another tab'],
  [inside({ room: 'kicked' }), 'kicked', 'You were removed from this room'],
  [inside({ room: 'closed' }), 'closed', 'The room was closed'],
  // Regressions: it was closed, too, for those who came back from a long sleep and were not let in.
  [inside({ room: 'closed', refusal: { slug: 'ticket-expired', message: '' } }), 'closed', 'Your link has expired, or is not valid yet – please get a new one'],
  [inside({ room: 'closed', refusal: { slug: 'other', message: 'No more rooms.', action: 'Try later.' } }), 'closed', 'No more rooms. Try later.'],
];

for (const [facts, state, text] of moments) {
  test(`${state}: ${text}`, () => {
    const summary = summarize({ links: [], news: '', ...facts });
    assert.deepEqual([summary.state, summary.text], [state, text]);
  });
}

test('a countdown is not read out second by second', () => {
  const spoken = [12_000, 3_000].map((freesInMs) => summarize({ phase: 'full', freesInMs, links: [], news: '' }).spoken);
  assert.equal(spoken[0], spoken[1]);
});

test('names are listed as people do', () => {
  assert.deepEqual([list([]), list(['A']), list(['A', 'B']), list(['A', 'B', 'C'])], ['', 'A', 'A and B', 'A, B and C']);
});

// ---- Errors that are not ours ------------------------------------------------------------------------------------

test('the QR code library is the published one, with its licence', async () => {
  const ours = (name) => readFile(new URL(`../../../web/app/vendor/${name}`, import.meta.url));
  const published = (name) => readFile(new URL(`../../node_modules/lean-qr/${name}`, import.meta.url));
  assert.deepEqual(await ours('lean-qr.mjs'), await published('index.mjs'));
  assert.deepEqual(await ours('lean-qr.LICENSE'), await published('LICENSE'));
});
