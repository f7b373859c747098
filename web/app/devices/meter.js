/** The level of samples between -1 and 1, as a loudness from 0 to 1: speech is about a half. @param {Float32Array} samples */
export function levelOf(samples) {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, samples.length);
  // From -60 dB to 0 dB.
  return Math.min(1, Math.max(0, 1 + (10 * Math.log10(power + 1e-12)) / 60));
}

/** Web Audio takes a moment to start. */
const STARTING_MS = 1_000;

/**
 * Tells the level of a track with each frame that the page shows, unless the browser cannot measure it: some have no Web
 * Audio, and Firefox does not mix sample rates.
 *
 * @param {MediaStreamTrack} track
 * @param {(level: number | null) => void} tell null: it is not known at the moment. Phones interrupt Web Audio, for example during a phone call.
 * @returns {(() => void) | null} ends that; null if it is not measured
 */
export function meter(track, tell) {
  const measured = listen(track);
  if (!measured) return null;
  const { context, analyser } = measured;
  const samples = new Float32Array(analyser.fftSize);
  const resume = () => void (context.state === 'running' || context.state === 'closed' || context.resume().catch(() => {}));
  context.onstatechange = resume;
  resume();
  let ranAt = performance.now();
  let frame = requestAnimationFrame(function look() {
    analyser.getFloatTimeDomainData(samples);
    const now = performance.now();
    if (context.state === 'running') ranAt = now;
    tell(now - ranAt > STARTING_MS ? null : levelOf(samples));
    frame = requestAnimationFrame(look);
  });
  return () => {
    cancelAnimationFrame(frame);
    void context.close();
  };
}

/** @param {MediaStreamTrack} track */
function listen(track) {
  /** @type {AudioContext | undefined} */
  let context;
  try {
    context = new AudioContext();
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    return { context, analyser };
  } catch {
    void context?.close();
    return null;
  }
}
