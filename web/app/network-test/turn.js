import { explain, hostOf, iceError, transportOf, worstOf } from '../ice/errors.js';
import { say } from '../languages/say.js';

/** @import { IceError } from '../ice/errors.js' */
/** @import { Judgement, Outcome } from './outcome.js' */

const PATIENCE_MS = 15_000;
const BYTE = 'x';

/**
 * @typedef {object} Relayed
 * @property {boolean} allocated the server allocated a relay
 * @property {boolean} echoed the byte came back
 * @property {IceError[]} errors
 * @property {number} tookMs
 */

/**
 * Does a TURN server relay? Two connections on this page send each other a byte, through relays only.
 *
 * @param {RTCIceServer} server with one URL
 * @param {AbortSignal} signal
 * @returns {Promise<Judgement>}
 */
export async function testTurn(server, signal) {
  const relayed = await relay(server, signal);
  return () => judgeTurn(String(server.urls), relayed);
}

/** @param {RTCIceServer} server @param {AbortSignal} signal @returns {Promise<Relayed>} */
async function relay(server, signal) {
  const [one, other] = [0, 1].map(() => new RTCPeerConnection({ iceServers: [server], iceTransportPolicy: 'relay' }));
  const started = performance.now();
  /** @type {Relayed} */
  const found = { allocated: false, echoed: false, errors: [], tookMs: 0 };
  try {
    await new Promise((resolve, reject) => {
      let gathering = 2;
      const done = () => void ((gathering -= 1) === 0 && !found.allocated && resolve(undefined));
      for (const [here, there] of [[one, other], [other, one]]) {
        here.addEventListener('icecandidateerror', (event) => found.errors.push(iceError(event)));
        here.onicecandidate = ({ candidate }) => {
          if (!candidate) return done();
          if (candidate.type === 'relay') found.allocated = true;
          there.addIceCandidate(candidate).catch(() => {});
        };
      }
      const channel = one.createDataChannel('test');
      other.ondatachannel = ({ channel: far }) => { far.onmessage = ({ data }) => far.send(data); };
      channel.onopen = () => channel.send(BYTE);
      channel.onmessage = ({ data }) => {
        found.echoed = data === BYTE;
        resolve(undefined);
      };
      setTimeout(resolve, PATIENCE_MS);
      signal.addEventListener('abort', () => reject(signal.reason));
      connect(one, other).catch(reject);
    });
  } finally {
    one.close();
    other.close();
  }
  return { ...found, tookMs: performance.now() - started };
}

/** @param {RTCPeerConnection} one @param {RTCPeerConnection} other */
async function connect(one, other) {
  const offer = await one.createOffer();
  // Candidates can be added only after a remote description.
  await other.setRemoteDescription(offer);
  await one.setLocalDescription(offer);
  const answer = await other.createAnswer();
  await one.setRemoteDescription(answer);
  await other.setLocalDescription(answer);
}

/**
 * @param {string} url
 * @param {Relayed} relayed
 * @returns {Outcome}
 */
export function judgeTurn(url, { allocated, echoed, errors, tookMs }) {
  const [host, transport] = [hostOf(url), transportOf(url)];
  const figures = { transport, allocated, relays: echoed, tookMs: Math.round(tookMs) };
  if (echoed) return { grade: 'good', words: say('turn-good', { host, protocol: transport, ms: figures.tookMs }), figures };
  if (allocated) {
    return { grade: 'bad', words: say('turn-bad', { host, protocol: transport }), todo: say('turn-bad-todo'), figures };
  }
  const error = worstOf(errors, url);
  const { what, todo } = error ? explain(error, url) : { what: say('ice-silent', { host, protocol: transport }), todo: say('ice-silent-todo', { kind: 'TURN', protocol: transport }) };
  return { grade: 'bad', words: say('sentence', { text: what }), todo, figures: { ...figures, code: error?.code ?? null } };
}
