import { say } from '../languages/say.js';

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
  if (of('webrtc').length > 0) return { grade: 'bad', words: say('verdict-webrtc') };
  if (signaling?.grade === 'bad') return { grade: 'bad', words: say('verdict-server') };
  if (signaling?.grade === 'unknown') return { grade: 'unknown', words: say('verdict-unknown', { why: signaling.words }) };
  if (!poll || lines.some(({ outcome }) => !outcome)) return null;
  if (poll.grade === 'bad') return { grade: 'bad', words: say('verdict-polls') };
  if (poll.grade === 'unknown') return { grade: 'unknown', words: say('verdict-unknown', { why: poll.todo ?? say('verdict-again') }) };
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
    if (direct) return { grade: 'good', words: say('verdict-good') };
    const udp = relays.some(({ outcome }) => outcome?.figures?.transport === 'UDP');
    if (udp) return { grade: 'good', words: say(reflected ? 'relay-nat' : stun ? 'relay-stun-silent' : 'relay-no-stun') };
    const protocol = String(relays[0].outcome?.figures?.transport);
    return { grade: 'good', words: say(reflected ? 'relay-over-nat' : stun ? 'relay-over-blocked' : 'relay-over-no-stun', { protocol }) };
  }
  const relay = turn ? 'unusable' : 'none';
  if (direct) return { grade: 'fair', words: say(`most-${relay}`) };
  if (reflected) return { grade: 'bad', words: say(`open-${relay}`) };
  return { grade: 'bad', words: say(stun ? `same-silent-${relay}` : `same-missing-${relay}`) };
}
