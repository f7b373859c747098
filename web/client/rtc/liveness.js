import { pause } from '../platform/environment.js';

/** @import { Environment } from '../types.d.ts' */

/** What is under way has arrived after this. */
const SETTLE_MS = 150;
/** Media comes many times a second; a connection without any is checked every 2.5 s by each end (Chromium). */
const SILENT_MS = { media: 600, idle: 3_000 };
/** How long an ICE restart may take to show. */
const RESTART_MS = 1_500;
const PATIENCE_MS = 15_000;

/**
 * Finds out whether a connection outlived a change of networks, and restarts ICE at once if not: the browser itself
 * needs seconds to notice. A change that spares the connection, or a server that went down, restarts nothing.
 */
export class Liveness {
  #env;
  #pc;
  #canRestart;
  #restart;
  /** When it was last doubted; null if nothing is being looked at. @type {number | null} */
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
    const looking = this.#doubted !== null;
    this.#doubted = this.#env.clock.now();
    // Of a connection that is closed meanwhile there is nothing to be found out.
    if (!looking) void this.#look().catch(() => {}).finally(() => void (this.#doubted = null));
  }

  async #look() {
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

  /** Once it is known to have failed, others care for it. */
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

  /** Counts what came from the other end: packets, and connectivity checks and their answers. */
  async #received() {
    let count = 0;
    for (const report of (await this.#pc.getStats()).values()) {
      if (report.type === 'candidate-pair') count += (report.bytesReceived ?? 0) + (report.requestsReceived ?? 0) + (report.responsesReceived ?? 0);
    }
    return count;
  }
}
