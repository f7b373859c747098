import assert from 'node:assert/strict';
import { before, test } from 'node:test';

const TURN = 'turn:turn.example.org:3478?transport=udp';
const CANDIDATE = 'a=candidate:1 1 udp 1 192.168.1.2 50000 typ host\r\n';

let Trace, ObservedConnection;
before(async () => {
  globalThis.RTCPeerConnection = class extends EventTarget {
    getConfiguration() { return { iceServers: [{ urls: TURN }] }; }
    async getStats() { return new Map(); }
  };
  ({ ObservedConnection } = await import('../../../web/app/ice/observed.js'));
  ({ Trace } = await import('../../../web/app/panel/trace.js'));
});

const fails = (pc, errorCode) => pc.dispatchEvent(Object.assign(new Event('icecandidateerror'), { url: TURN, errorCode, errorText: '' }));
const answered = () => Object.assign(new ObservedConnection(), { localDescription: { sdp: CANDIDATE }, remoteDescription: { sdp: CANDIDATE } });

test('a new connection keeps the evidence of its predecessor', async () => {
  const link = { state: 'connecting', pc: answered() };
  const trace = new Trace(link, 'Ben');
  fails(link.pc, 401);
  await trace.look();
  link.pc = new ObservedConnection();
  await trace.look();
  assert.equal(trace.evidence.answered, true, 'the new one has not been heard by anybody yet');
  link.pc = answered();
  await trace.look();
  assert.deepEqual(trace.evidence.errors.map(({ code }) => code), [401]);
  link.state = 'failed';
  link.pc = null;
  await trace.look();
  assert.match(trace.findings[0].what, /refuses the TURN credentials/);
});

test('what works again has no old trouble', async () => {
  const link = { state: 'connecting', pc: answered() };
  const trace = new Trace(link, 'Ben');
  fails(link.pc, 401);
  await trace.look();
  Object.assign(link, { state: 'connected', pc: answered() });
  await trace.look();
  assert.deepEqual([trace.evidence.errors, trace.findings], [[], []]);
});

test('nobody is alarmed in the first seconds', async () => {
  const trace = new Trace({ state: 'connecting', pc: new ObservedConnection() }, 'Ben');
  await trace.look();
  assert.deepEqual(trace.findings, []);
});
