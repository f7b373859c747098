import { Call } from '../../../web/client/rtc/call.js';
import { Emitter } from '../../../web/client/platform/emitter.js';
import { FakeClock, settled } from './clock.js';
import { FakeMediaStream, FakePeerConnection } from './peer-connection.js';
import { connectionOf } from './sdp.js';

/** A room as a call sees it. Sent messages stay in `mail` until the test delivers or drops them. */
export class FakeRoom extends Emitter {
  state = 'connected';
  key = null;
  troubles = new Map();
  returned = false;
  leaseMs = 45_000;
  iceServers = [{ urls: 'stun:stun.example' }];

  refreshIceServers() {}
  mail = [];

  constructor(self, peers) {
    super();
    this.self = self;
    this.peers = new Map(peers.map((peer) => [peer.id, peer]));
  }

  async send(to, message) {
    this.mail.push({ to, message });
    return { seq: 1, accepted: [] };
  }

  comes(peer) {
    this.peers.set(peer.id, peer);
    this.emit('peer-joined', peer);
  }

  goes(peer, reason = 'left') {
    this.peers.delete(peer.id);
    this.emit('peer-left', { peer, reason });
  }

  becomes(state) {
    this.state = state;
    this.emit('state', { state });
  }
}

/** One member with a call in progress. */
export class Member {
  constructor(clock, self, peers, options) {
    this.clock = clock;
    this.room = new FakeRoom(self, peers);
    const env = { clock, RTCPeerConnection: FakePeerConnection, MediaStream: FakeMediaStream };
    this.call = new Call(this.room, env, options ?? {});
    this.events = [];
    for (const name of ['link', 'stream', 'data', 'bye', 'channel', 'data-channel', 'offer-unanswered']) {
      this.call.on(name, (detail) => this.events.push({ name, ...detail }));
    }
  }

  link(id) {
    return this.call.links.get(id);
  }

  pc(id) {
    return this.link(id)?.pc;
  }

  /** Messages sent since the last call of this, except candidates. */
  async said() {
    await settled();
    return this.room.mail.splice(0).filter(({ message }) => message.type !== 'candidate');
  }

  async hears(from, message) {
    this.room.emit('message', { seq: 1, from, ...message });
    await settled();
  }

  states() {
    return this.events.filter(({ name }) => name === 'link').map(({ state }) => state);
  }
}

/** Ben joined first; Ann joined later and is the polite peer. Both are in a call. */
export function couple(options) {
  const clock = new FakeClock();
  const ben = { id: 'ben', name: 'Ben', order: 1 };
  const ann = { id: 'ann', name: 'Ann', order: 2 };
  return { clock, ann: new Member(clock, ann, [ben], options), ben: new Member(clock, ben, [ann], options) };
}

/** Delivers all messages between two members until none are left. */
export async function talk(one, other) {
  for (let turn = 0; turn < 50; turn += 1) {
    await settled();
    const mail = [[one, other], [other, one]].flatMap(([from, to]) =>
      from.room.mail.splice(0).map(({ message }) => [from.room.self.id, to, message]));
    if (mail.length === 0) return;
    for (const [from, to, message] of mail) await to.hears(from, message);
  }
  throw new Error('the members never stop sending');
}

/** Whether both ends belong to the same connection. */
export function agreed(one, other) {
  const [a, b] = [one.pc(other.room.self.id), other.pc(one.room.self.id)];
  return (
    a.signalingState === 'stable' &&
    b.signalingState === 'stable' &&
    connectionOf(a.remoteDescription) === b.session &&
    connectionOf(b.remoteDescription) === a.session
  );
}
