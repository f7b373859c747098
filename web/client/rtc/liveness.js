import { pause } from '../platform/environment.js';

/** @import { Environment } from '../types.d.ts' */

/** Packets in flight have arrived after this. */
const SETTLE_MS = 150;
/** Media arrives many times a second; without any, each end checks the connection every 2.5 s (Chromium). */
const SILENT_MS = { media: 600, idle: 3_000 };
/** How long an ICE restart may take to have an effect. */
const RESTART_MS = 1_500;
const PATIENCE_MS = 15_000;

/**
 * Finds out whether a connection survived a change of network and, if not, restarts ICE at once: the browser itself needs
 * seconds to notice. A change that spares the connection, or an outage of the server, restarts nothing. Without
 * `getStats` the browser's own notice has to do.
 */
export class Liveness {
  #env;
  #pc;
  #canRestart;
  #restart;
  /** When it was last doubted; null if nothing is being checked. @type {number | null} */
  #doubted = null;

  /**
   * @param {Pick<Environment, 'clock' | 'page'>} env
   * @param {RTCPeerConnection} pc
   * @param {() => boolean} canRestart
   * @param {() => void} restart
   */
  constructor(env, pc, canRestart, restart) {
    this.#env = env;
    this.#pc = pc;
    this.#canRestart = canRestart;
    this.#restart = restart;
  }

  /** The network may have changed. */
  doubt() {
    const checking = this.#doubted !== null;
    this.#doubted = this.#env.clock.now();
    // The connection may be closed meanwhile.
    if (!checking) void this.#check().catch(() => {}).finally(() => void (this.#doubted = null));
  }

  async #check() {
    for (let restarted = false; this.#isDoubtful(); ) {
      if (!(await this.#isSilent())) {
        if (restarted) return;
        continue;
      }
      if (!this.#isUp() || !this.#canRestart()) continue;
      this.#restart();
      restarted = true;
      await pause(this.#env, RESTART_MS);
    }
  }

  #isDoubtful() {
    return this.#isUp() && this.#env.clock.now() - (this.#doubted ?? -Infinity) < PATIENCE_MS;
  }

  /** A connection that is known to have failed is repaired by its link. */
  #isUp() {
    const { connectionState } = this.#pc;
    return connectionState === 'connected' || connectionState === 'disconnected' || connectionState === 'connecting';
  }

  async #isSilent() {
    await pause(this.#env, SETTLE_MS);
    const before = await this.#received();
    await pause(this.#env, SILENT_MS[this.#expectsMedia() ? 'media' : 'idle']);
    return (await this.#received()) <= before;
  }

  #expectsMedia() {
    return this.#pc.getReceivers().some(({ track }) => !track.muted && track.readyState === 'live');
  }

  /** Counts what arrived from the peer: bytes, connectivity checks and responses to ours. */
  async #received() {
    let count = 0;
    for (const report of (await this.#pc.getStats()).values()) {
      if (report.type === 'candidate-pair') count += (report.bytesReceived ?? 0) + (report.requestsReceived ?? 0) + (report.responsesReceived ?? 0);
    }
    return count;
  }
}
