/**
 * How good a connection is, in bars: 3 is good, 1 is poor, and 0 is unknown. From the loss that is heard and seen, and the delay that
 * makes people interrupt each other.
 *
 * @param {{ lossPercent?: number | null, roundTripMs?: number | null }} flow
 */
export function barsOf({ lossPercent = null, roundTripMs = null }) {
  if (lossPercent === null && roundTripMs === null) return 0;
  const [loss, delay] = [lossPercent ?? 0, roundTripMs ?? 0];
  if (loss > 8 || delay > 600) return 1;
  return loss > 2 || delay > 250 ? 2 : 3;
}

/** The words for them. */
export const QUALITY = /** @type {const} */ ([null, 'quality-poor', 'quality-fair', 'quality-good']);

/** Who is speaking: from a level above that of a quiet room until a moment after the last word. */
export class Speaking {
  #until = -Infinity;

  /**
   * @param {number} level from 0 to 1, linear
   * @param {number} now milliseconds
   */
  hear(level, now) {
    if (level > 0.02) this.#until = now + 800;
    return now < this.#until;
  }
}

/** The level of all that has been heard since the last look, from totals that browsers keep (`totalAudioEnergy` in webrtc-stats). */
export class Loudness {
  /** By the id of the report. @type {Map<string, { energy: number, seconds: number }>} */
  #before = new Map();

  /** @param {{ id: string, type: string, totalAudioEnergy?: number, totalSamplesDuration?: number }[]} reports */
  of(reports) {
    const levels = reports.filter(({ type }) => type === 'inbound-rtp').map(({ id, totalAudioEnergy: energy = 0, totalSamplesDuration: seconds = 0 }) => {
      const before = this.#before.get(id) ?? { energy, seconds };
      this.#before.set(id, { energy, seconds });
      return seconds > before.seconds ? Math.sqrt(Math.max(0, energy - before.energy) / (seconds - before.seconds)) : 0;
    });
    return Math.max(0, ...levels);
  }
}
