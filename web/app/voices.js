import { Loudness, Speaking } from './quality.js';

/** @import { Call } from '../client/types.d.ts' */

const LISTEN_MS = 250;

/**
 * Tells who is speaking, by the energy of the sound that has just been played.
 *
 * @param {Call} call
 * @param {(id: string, speaking: boolean) => void} tell
 * @returns {() => void} ends that
 */
export function followVoices(call, tell) {
  /** By peer id. @type {Map<string, { speaking: Speaking, loudness: Loudness }>} */
  const known = new Map();
  const timer = setInterval(() => {
    for (const [id, { pc }] of call.links) {
      const one = known.get(id) ?? { speaking: new Speaking(), loudness: new Loudness() };
      known.set(id, one);
      void levelOf(pc, one.loudness).then((level) => tell(id, one.speaking.hear(level, performance.now())), () => {});
    }
  }, LISTEN_MS);
  return () => clearInterval(timer);
}

/**
 * @param {RTCPeerConnection | null} pc
 * @param {Loudness} loudness
 */
async function levelOf(pc, loudness) {
  const receivers = pc?.getReceivers?.().filter(({ track }) => track.kind === 'audio' && track.readyState === 'live') ?? [];
  const reports = await Promise.all(receivers.map(async (receiver) => [...(await receiver.getStats()).values()]));
  return loudness.of(reports.flat());
}
