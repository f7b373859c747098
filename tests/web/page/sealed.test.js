import assert from 'node:assert/strict';
import { test } from 'node:test';

import { newKey } from '../../../web/client/index.js';
import { Emitter } from '../../../web/client/platform/emitter.js';
import { invitation, readAddress } from '../../../web/app/address.js';
import { Admittance } from '../../../web/app/admittance.js';
import { isolatedName, plain } from '../../../web/app/names.js';
import { adviceOn, fits, followLacks, lackOf, lackingIn } from '../../../web/app/sealed/lacks.js';
import { isAsAsked, isSameSeal, whyNoSeal } from '../../../web/app/sealed/seal.js';
import { noteSealed } from '../../../web/app/whip/notes.js';
import { summarize } from '../../../web/app/words.js';

const KEY = newKey();
const ANN = { id: 'a', name: 'Ann', metadata: {}, order: 1 };
const GUEST = { id: 'b', name: '', metadata: {}, order: 2 };

/** A room in which these peers lack something. */
function room(troubles = [], { key = KEY, peers = [ANN, GUEST] } = {}) {
  return Object.assign(new Emitter(), { key, self: { order: 3 }, troubles: new Map(troubles), peers: new Map(peers.map((peer) => [peer.id, peer])) });
}

// ---- Links ---------------------------------------------------------------------------------------------------------

test('a link has the key in its fragment, beside the secret, and keeps both', () => {
  const wish = { room: 'tea', secret: 'a&b c#d', seal: { key: KEY } };
  const link = invitation('https://x.example/?room=old&name=Ann#ticket=hers&key=old', wish);
  assert.equal(new URL(link).search, '?room=tea');
  assert.equal(link, `https://x.example/?room=tea#${new URLSearchParams({ secret: wish.secret })}&key=${KEY}`);
  const { room, secret, seal, ticket } = readAddress(link);
  assert.deepEqual({ room, secret, seal }, wish);
  assert.equal(ticket, undefined);
});

test('a link to a room with a passphrase says that there is one, and not which', () => {
  const link = invitation('https://x.example/', { room: 'tea', seal: { passphrase: 'correct horse' } });
  assert.equal(link, 'https://x.example/?room=tea#sealed=passphrase');
  assert.deepEqual(readAddress(link).seal, { passphrase: '' });
});

test('a link without a key is not sealed, and neither is a key outside the fragment', () => {
  assert.equal(readAddress('https://x.example/?room=tea').seal, undefined);
  assert.equal(readAddress(`https://x.example/?room=tea&key=${KEY}`).seal, undefined);
});

test('a key that was cut off, changed or is empty seals nothing, and is no reason to join unsealed', () => {
  assert.equal(whyNoSeal(undefined), '');
  assert.equal(whyNoSeal({ key: KEY }), '');
  const unused = `${KEY.slice(0, 42)}B`;
  for (const key of ['', KEY.slice(1), `${KEY}A`, `${KEY.slice(0, 42)}.`, unused]) {
    const { seal } = readAddress(`https://x.example/?room=tea#${new URLSearchParams({ key })}`);
    assert.deepEqual(seal, { key });
    assert.match(whyNoSeal(seal), /^The key in this link is incomplete/, key);
  }
});

test('seals are the same if key or passphrase are', () => {
  assert.equal(isSameSeal({ key: KEY }, { key: KEY }), true);
  assert.equal(isSameSeal(undefined, undefined), true);
  for (const other of [undefined, { key: newKey() }, { passphrase: KEY }]) assert.equal(isSameSeal({ key: KEY }, other), false);
});

test('a link with a key, or with another one, asks for more than the call that was left; one with a passphrase asks for any', () => {
  const other = { key: newKey() };
  for (const used of [undefined, other, { passphrase: 'x' }]) assert.equal(isAsAsked({ key: KEY }, used), false);
  for (const used of [undefined, other]) assert.equal(isAsAsked({ passphrase: '' }, used), false);
  for (const [asked, used] of [[{ key: KEY }, { key: KEY }], [{ passphrase: '' }, { passphrase: 'x' }], [undefined, other], [undefined, undefined]]) assert.equal(isAsAsked(asked, used), true);
});

// ---- What does not fit -----------------------------------------------------------------------------------------------

test('what a peer lacks, as the client says, and in an unsealed room by its card', () => {
  const sealed = room([['b', 'no key']]);
  assert.deepEqual([lackOf(sealed, ANN), lackOf(sealed, GUEST)], [null, 'no key']);
  assert.deepEqual([...lackingIn(sealed, null)], [['b', { name: isolatedName(GUEST), lack: 'no key' }]]);
  const open = room([], { key: null });
  for (const metadata of [{}, null, { sealed: true }, { sealed: 'yes' }]) assert.equal(lackOf(open, { ...GUEST, metadata }), null);
  assert.equal(lackOf(open, { ...GUEST, metadata: { sealed: '1.AAAA' } }), 'sealed');
  assert.equal(lackingIn(null, null).size, 0);
});

test('a peer that is connected lacks nothing, whatever comes under its name', () => {
  const call = (state) => ({ links: new Map([['b', { state }]]) });
  const sealed = room([['b', 'no key']]);
  assert.equal(lackingIn(sealed, call('connected')).size, 0);
  assert.equal(lackingIn(sealed, call('interrupted')).size, 1);
});

// Regression: everybody was told that the room is sealed.
test('a newcomer whose card says that it is sealed does not make the room sealed, and is asked about', async () => {
  const claims = { ...GUEST, order: 4, metadata: { sealed: '1.AAAA' } };
  const open = room([], { key: null, peers: [ANN, claims] });
  const lackOfGuest = (call, declined) => lackingIn(open, call, declined).get('b')?.lack;
  assert.equal(lackOfGuest(null), 'stranger');
  claims.order = 2;
  assert.equal(lackOfGuest(null), 'sealed', 'it was here before');
  assert.equal(lackOfGuest({ links: new Map([['a', { state: 'connected' }]]) }), 'stranger', 'and yet this page is connected');
  assert.match(plain(adviceOn([...lackingIn(open, null, new Set()).values(), { name: 'x', lack: 'stranger' }], undefined).what), /^Somebody here has sealed/);
  assert.match(plain(adviceOn([{ name: isolatedName(GUEST), lack: 'stranger' }], undefined).what), /^Guest has joined with a key that this room does not have/);
  const admittance = new Admittance({ changed() {}, asked: async () => false });
  assert.equal(await admittance.ask(open, claims, new AbortController().signal), false);
  assert.equal(lackOfGuest(null, admittance.declinedHere), undefined, 'declined: nothing more is said');
});

test('if only descriptions are changed in transit, that is not forgotten with the next candidate', () => {
  const sealed = room();
  let changes = 0;
  followLacks(sealed, () => { changes += 1; });
  const refuse = (type, why) => sealed.emit('refused', { seq: 1, from: 'b', type, why });
  for (const [type, why] of [['data', 'unreadable'], ['offer', 'repeated'], ['answer', 'malformed']]) refuse(type, why);
  assert.equal(lackOf(sealed, GUEST), null);
  refuse('offer', 'unreadable');
  sealed.emit('message', { seq: 2, from: 'b', type: 'candidate' });
  assert.equal(lackOf(sealed, GUEST), 'another key');
  const before = changes;
  sealed.emit('message', { seq: 3, from: 'b', type: 'answer' });
  assert.equal(lackOf(sealed, GUEST), null);
  assert.equal(changes, before + 1);
  refuse('answer', 'unsealed');
  assert.equal(lackOf(sealed, GUEST), 'no key');
  sealed.emit('peer-left', { peer: GUEST, reason: 'left' });
  assert.equal(lackOf(sealed, GUEST), null);
});

test('the user is asked about a peer only once it can be heard', async () => {
  const sealed = room([['b', 'another key']]);
  const asked = [];
  const admittance = new Admittance({ changed() {}, asked: async ({ id }) => asked.push(id) > 0 });
  const life = new AbortController();
  const answer = admittance.ask(sealed, GUEST, life.signal);
  assert.equal(await admittance.ask(sealed, ANN, life.signal), true);
  assert.deepEqual(asked, ['a']);
  sealed.emit('trouble', { peer: ANN, trouble: null });
  sealed.emit('trouble', { peer: GUEST, trouble: 'no key' });
  await new Promise(setImmediate);
  assert.deepEqual(asked, ['a']);
  sealed.troubles.delete('b');
  sealed.emit('trouble', { peer: GUEST, trouble: null });
  assert.equal(await answer, true);
  assert.deepEqual(asked, ['a', 'b']);
  assert.deepEqual(admittance.callers, []);
});

test('about a peer that leaves before, nobody is asked', async () => {
  const sealed = room([['b', 'no key']]);
  const life = new AbortController();
  let asked = false;
  void fits(sealed, GUEST, life.signal).then(() => { asked = true; });
  life.abort();
  sealed.troubles.delete('b');
  sealed.emit('trouble', { peer: GUEST, trouble: null });
  await new Promise(setImmediate);
  assert.equal(asked, false);
});

test('each lack has its sentence and what to do, by key and by passphrase', () => {
  const of = (lack, seal) => {
    const { what, todo } = adviceOn([{ name: isolatedName(GUEST), lack }], seal);
    return plain(`${what}. ${todo}`);
  };
  const said = [
    of('no key', { key: KEY }), of('another key', { key: KEY }),
    of('no key', { passphrase: 'x' }), of('another key', { passphrase: 'x' }), of('sealed', undefined),
  ];
  assert.equal(new Set(said).size, 5);
  assert.match(said[0], /^Guest does not have this room’s key.*Send Guest the whole link/);
  assert.match(said[1], /^Guest has a different key.*old link/);
  assert.match(said[2], /^Guest does not have this room’s key.*has a passphrase/);
  assert.match(said[3], /^Guest has entered a different passphrase.*at both ends/);
  assert.match(said[4], /^Somebody here has sealed this room.*Ask for the whole link/);
});

test('of several lacks, the one that may be this page’s own comes first', () => {
  const [none, other] = ['no key', 'another key'].map((lack) => ({ name: lack, lack }));
  for (const lacking of [[none, other], [other, none]]) assert.match(adviceOn(lacking, { key: KEY }).what, /^another key has a different key/);
  assert.equal(adviceOn([], { key: KEY }), null);
});

test('an encoder lacks nothing that anybody could give it, and is told of once', () => {
  const OBS = { id: '0a1b2c3d-0000-8000-8000-000000000001', name: '', metadata: { whip: 'encoder' }, order: 4 };
  const sealed = room([[OBS.id, 'no key']], { peers: [ANN, OBS] });
  assert.deepEqual([...lackingIn(sealed, null).keys()], []);
  const told = [];
  noteSealed(sealed, (key) => told.push(key));
  for (let times = 0; times < 3; times += 1) {
    sealed.emit('peer-joined', GUEST);
    sealed.emit('peer-joined', OBS);
    sealed.emit('peer-left', { peer: OBS, reason: 'left' });
  }
  assert.deepEqual(told, ['machine-sealed']);
  const open = room([], { key: null, peers: [OBS] });
  noteSealed(open, (key) => told.push(key));
  open.emit('peer-joined', OBS);
  assert.equal(told.length, 1);
});

test('the status counts who cannot be connected with, beside the others', () => {
  const inside = (more) => summarize({ phase: 'inside', room: 'connected', links: [], news: '', ...more });
  const lacking = [{ name: 'Guest', lack: 'no key' }];
  assert.deepEqual(inside({ lacking }), { state: 'waiting', text: '1 person here does not have a matching key', spoken: '1 person here does not have a matching key' });
  const both = inside({ lacking: [...lacking, ...lacking], links: [{ name: 'Ben', state: 'connected' }] });
  assert.deepEqual([both.state, both.text], ['connected', 'Connected to Ben · 2 people here do not have a matching key']);
});
