/** @import { Line, Outcome } from './outcome.js' */

/**
 * What the tests mean for calls from this network. Null while that is not known.
 *
 * @param {Line[]} lines
 * @returns {Pick<Outcome, 'grade' | 'words'> | null}
 */
export function verdictOf(lines) {
  const of = (/** @type {Line['kind']} */ kind) => lines.filter((line) => line.kind === kind);
  const [signaling, poll, nat] = [of('signaling')[0]?.outcome, of('poll')[0]?.outcome, of('nat')[0]?.outcome];
  if (of('webrtc').length > 0) return { grade: 'bad', words: 'Calls cannot be made in this browser: WebRTC is missing or turned off.' };
  if (signaling?.grade === 'bad') return { grade: 'bad', words: 'Calls cannot be made here: the server cannot be used from this network.' };
  if (signaling?.grade === 'unknown') return { grade: 'unknown', words: `Could not tell whether calls work here. ${signaling.words}` };
  if (!poll || lines.some(({ outcome }) => !outcome)) return null;
  if (poll.grade === 'bad') return { grade: 'bad', words: 'Calls rarely work here: messages from the server do not get through.' };
  if (poll.grade === 'unknown') return { grade: 'unknown', words: `Could not tell whether calls work here. ${poll.todo ?? 'Test again in a minute.'}` };
  const servers = (/** @type {Line['kind']} */ kind) => of(kind).filter(({ url }) => url);
  const [stun, turn] = [servers('stun'), servers('turn')];
  const relays = turn.filter(({ outcome }) => outcome?.grade === 'good');
  const reflected = stun.some(({ outcome }) => outcome?.grade === 'good');
  const direct = reflected && nat?.figures?.mapping !== 'varies';
  return media({ direct, reflected, stun: stun.length > 0, turn: turn.length > 0, relays });
}

/**
 * @param {{ direct: boolean, reflected: boolean, stun: boolean, turn: boolean, relays: Line[] }} found
 * @returns {Pick<Outcome, 'grade' | 'words'>}
 */
function media({ direct, reflected, stun, turn, relays }) {
  if (relays.length > 0) {
    if (direct) return { grade: 'good', words: 'Calls work here: directly where the other network allows that, and through a relay where not.' };
    const [{ outcome }] = relays;
    const udp = relays.some(({ outcome }) => outcome?.figures?.transport === 'UDP');
    const why = reflected ? 'this network’s NAT prevents most direct ones' : !stun ? 'no STUN server is set up' : udp ? 'no STUN server responds' : 'UDP is blocked';
    return { grade: 'good', words: `Calls work here, through a relay${udp ? '' : ` over ${outcome?.figures?.transport}`}: ${why}.` };
  }
  const relay = turn ? 'no relay can be used' : 'no relay is set up';
  if (direct) return { grade: 'fair', words: `Calls work here with people on most networks. With those on strict ones they do not: ${relay}.` };
  if (reflected) return { grade: 'bad', words: `Calls work only with people on open networks: this network’s NAT prevents all others, and ${relay}.` };
  return { grade: 'bad', words: `Calls work only with people on this same network: ${stun ? 'no STUN server responds' : 'no STUN server is set up'}, and ${relay}.` };
}
