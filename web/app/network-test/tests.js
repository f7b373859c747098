import { Problem, Unreachable } from '../../client/index.js';
import { say } from '../languages/say.js';
import { inOneLine, isolate } from '../names.js';
import { whyNoCalls } from '../webrtc.js';
import { dead, HOLDS_MS, findHold, judgeHolds } from './long-poll.js';
import { reflectors, testNat } from './nat.js';
import { Seat } from './seat.js';
import { testStun } from './stun.js';
import { testTurn } from './turn.js';
import { responds, testUpgrade } from './upgrade.js';

/** @import { Judgement, Line, Outcome } from './outcome.js' */

/**
 * Runs all tests at once. `show` is called for each line when its test begins and when it ends.
 *
 * @param {AbortSignal} signal
 * @param {(line: Line) => void} show
 * @param {(seat: Seat) => void} seated called with each seat that the page has to leave
 */
export async function runTests(signal, show, seated) {
  /** @param {Pick<Line, 'kind' | 'url'> & { title: () => string }} about @param {() => Promise<Judgement>} test */
  const run = async ({ title, ...about }, test) => {
    if (signal.aborted) return;
    /** @type {Judgement | undefined} */
    let judge;
    /** @type {Line} */
    const line = { ...about, title: title(), word: () => { Object.assign(line, { title: title(), outcome: judge?.() }); } };
    show(line);
    judge = await test().catch((error) => () => failed(error));
    line.word?.();
    if (!signal.aborted) show(line);
  };
  const take = async (/** @type {Seat | undefined} */ other = undefined) => {
    const seat = await Seat.take(signal, other);
    seated(seat);
    return seat;
  };

  /** @type {Seat | null} */
  let seat = null;
  const signaling = run({ kind: 'signaling', title: () => say('test-requests') }, async () => {
    const started = performance.now();
    try {
      seat = await take();
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      return () => refused(error);
    }
    const tookMs = Math.round(performance.now() - started);
    return () => ({ grade: 'good', words: say('test-responded', { ms: tookMs }), figures: { tookMs } });
  });
  const upgrade = run({ kind: 'upgrade', title: () => 'WebSockets' }, () => testUpgrade(signal));
  const noCalls = whyNoCalls();
  if (noCalls) void run({ kind: 'webrtc', title: () => 'WebRTC' }, async () => () => ({ grade: 'bad', words: whyNoCalls(), todo: say('test-webrtc-todo') }));
  await signaling;
  const first = /** @type {Seat | null} */ (seat);
  await Promise.all([upgrade, ...(first ? [polls(first), ...(noCalls ? [] : media(await iceServers(first)))] : [])]);

  /**
   * A peer that is alone may be given no relay; the second in a room is.
   *
   * @param {Seat} first
   */
  async function iceServers(first) {
    if (first.joined.ice_ttl_s !== 0) return first.joined.ice_servers;
    return take().then(take).then(({ joined }) => joined.ice_servers, () => null);
  }

  /** @param {Seat} first */
  async function polls(first) {
    const longest = first.joined.wait_max_ms;
    const hold = async () => findHold(longest > HOLDS_MS[0] ? [first, await take()] : [first], longest, signal);
    return run({ kind: 'poll', title: () => say('test-polls') }, async () => {
      const holds = await hold().catch(async (error) => {
        if (signal.aborted || error instanceof Problem || await responds(signal)) throw error;
        return null;
      });
      // A server that is gone has cut them itself.
      const isDead = !holds || (holds.some(({ end }) => end === 'cut') && !await responds(signal));
      return () => (isDead ? dead() : judgeHolds(holds, longest));
    });
  }

  /** @param {RTCIceServer[] | null} servers */
  function media(servers) {
    if (!servers) return [run({ kind: 'turn', title: () => say('test-relay') }, async () => () => ({ grade: 'unknown', words: say('test-no-answer') }))];
    const each = servers.flatMap((server) => [server.urls].flat().map((url) => ({ ...server, urls: url })));
    const [stun, turn] = ['stun', 'turn'].map((scheme) => each.filter(({ urls }) => urls.startsWith(scheme)));
    const mirrors = reflectors(servers);
    /** @param {'stun' | 'turn'} what @returns {() => Promise<Judgement>} */
    const missing = (what) => async () => () => ({ grade: 'fair', words: say(`test-no-${what}`), todo: say(`test-no-${what}-todo`) });
    return [
      ...stun.map(({ urls: url }) => run({ kind: 'stun', title: () => `STUN: ${url}`, url }, () => testStun(url, signal))),
      ...(stun.length > 0 ? [] : [run({ kind: 'stun', title: () => 'STUN' }, missing('stun'))]),
      ...(mirrors.length > 1 ? [run({ kind: 'nat', title: () => 'NAT' }, () => testNat(mirrors, signal))] : []),
      ...turn.map((server) => run({ kind: 'turn', title: () => say('test-relay-of', { url: server.urls }), url: server.urls }, () => testTurn(server, signal))),
      ...(turn.length > 0 ? [] : [run({ kind: 'turn', title: () => say('test-relay') }, missing('turn'))]),
    ];
  }
}

/** @param {Error} error @returns {Outcome} */
function failed({ message }) {
  return { grade: 'unknown', words: say('test-failed', { error: message }) };
}

/** @param {unknown} error @returns {Outcome} */
function refused(error) {
  if (error instanceof Problem && error.slug.startsWith('ticket-')) return { grade: 'unknown', words: say('test-tickets') };
  if (error instanceof Problem) return { grade: 'bad', words: say('test-refused', { reason: isolate(inOneLine(error.message)) }), todo: inOneLine(error.document.action ?? '') };
  const reason = error instanceof Unreachable ? error.reason : 'network';
  return { grade: 'bad', words: say(`reach-${reason}`), todo: say('reach-todo') };
}
