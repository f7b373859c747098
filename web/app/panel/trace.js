import { candidatesOf } from '../ice/candidates.js';
import { errorsOf } from '../ice/observed.js';
import { SPAN } from './chart.js';
import { diagnose } from './diagnosis.js';
import { flowBetween, totalsOf } from './flow.js';
import { routeOf } from './route.js';

/** @import { Link } from '../../client/types.d.ts' */
/** @import { Evidence, Finding } from './diagnosis.js' */
/** @import { Flow, Totals } from './flow.js' */
/** @import { Route } from './route.js' */

/** How long a connection may take before the user is told that something is wrong. */
const PATIENCE_MS = 8_000;
/** A new connection has no evidence yet: for this long, its predecessor's counts. */
const FRESH_MS = 5_000;
const MAX_ERRORS = 50;

/** Samples of the connection with one peer. */
export class Trace {
  #link;
  #name;
  #lacks;
  /** @type {{ pair: string, totals: Totals } | null} */
  #before = null;
  #aloneSince = performance.now();
  /** @type {RTCPeerConnection | null} */
  #pc = null;
  #pcSince = 0;
  /** Errors of earlier connections since the last success. @type {Evidence['errors']} */
  #errors = [];
  /** @type {Evidence} */
  evidence;
  /** @type {Route | null} */
  route = null;
  /** The newest last. @type {Flow[]} */
  flows = [];

  /**
   * @param {Link} link
   * @param {string} name of its peer, isolated
   * @param {() => boolean} [lacks] a key: what the peer sends cannot be read
   */
  constructor(link, name, lacks = () => false) {
    this.#link = link;
    this.#lacks = lacks;
    this.#name = name;
    this.evidence = this.#gather(null);
  }

  get state() {
    return this.#link.state;
  }

  /** What stands in the way, once it has been given some time. @returns {Finding[]} */
  get findings() {
    const late = this.state === 'failed' || performance.now() - this.#aloneSince >= PATIENCE_MS;
    // For lack of a key, there is nothing to find out about the network.
    return this.state === 'connected' || this.state === 'closed' || !late || this.#lacks() ? [] : diagnose(this.evidence);
  }

  async look() {
    const { pc, state } = this.#link;
    if (state === 'connected') this.#aloneSince = performance.now();
    if (pc && pc !== this.#pc) {
      this.#pc = pc;
      this.#pcSince = performance.now();
      this.#errors = this.evidence.errors.slice(-MAX_ERRORS);
    }
    if (state === 'connected') this.#errors = [];
    // The evidence of a connection that was dropped stays.
    if (pc) this.evidence = this.#newer(this.#gather(pc));
    const reports = /** @type {Map<string, any>} */ (/** @type {unknown} */ (await pc?.getStats()));
    this.route = reports && state === 'connected' ? routeOf(reports, globalThis.location?.hostname ?? '') : null;
    this.flows.push(this.#flow(reports));
    if (this.flows.length > SPAN) this.flows.shift();
  }

  /** @param {Evidence} found @returns {Evidence} */
  #newer(found) {
    const fresh = performance.now() - this.#pcSince < FRESH_MS && found.remote.length === 0;
    return fresh && this.state !== 'connected' && this.evidence.answered ? { ...this.evidence, errors: found.errors } : found;
  }

  /** @param {Map<string, any>} reports @returns {Flow} */
  #flow(reports) {
    const { route } = this;
    if (!route) {
      this.#before = null;
      return { roundTripMs: null, sentKbps: null, receivedKbps: null, lossPercent: null };
    }
    const { id: pair } = route.pair;
    const totals = totalsOf(reports, route);
    const before = this.#before;
    this.#before = { pair, totals };
    return flowBetween(before && before.pair === pair ? before.totals : null, totals);
  }

  /** @param {RTCPeerConnection | null} pc @returns {Evidence} */
  #gather(pc) {
    const { iceServers = [], iceTransportPolicy } = pc?.getConfiguration() ?? {};
    return {
      name: this.#name,
      state: this.#link.state,
      answered: Boolean(pc?.remoteDescription),
      urls: iceServers.flatMap(({ urls }) => urls),
      relayOnly: iceTransportPolicy === 'relay',
      local: candidatesOf(pc?.localDescription?.sdp),
      remote: candidatesOf(pc?.remoteDescription?.sdp),
      errors: [...this.#errors, ...errorsOf(pc)],
    };
  }
}
