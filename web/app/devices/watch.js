import { permission } from './permissions.js';

/** @import { Kind } from './media.js' */

/** A camera may send nothing for a moment, for instance while the browser shows a prompt. */
const PAUSE_MS = 2_000;

/**
 * Tells when a track ends, sends nothing for a while (perhaps from its beginning: a switch or a shutter may be closed), and
 * sends again.
 *
 * @param {MediaStreamTrack} track
 * @param {{ ended: () => void, paused: () => void, resumed: () => void }} tell
 */
export function watchTrack(track, { ended, paused, resumed }) {
  track.onended = ended;
  track.onmute = () => void setTimeout(() => track.muted && track.readyState !== 'ended' && paused(), PAUSE_MS);
  if (track.muted) track.onmute(new Event('mute'));
  track.onunmute = resumed;
}

/**
 * Tells when devices are plugged in or pulled out, and when the user allows or forbids them.
 *
 * @param {MediaDevices} devices
 * @param {AbortSignal} signal
 * @param {{ plugged: () => void, permitted: () => void }} tell
 */
export function watchDevices(devices, signal, { plugged, permitted }) {
  devices.addEventListener?.('devicechange', plugged, { signal });
  for (const kind of /** @type {Kind[]} */ (['audio', 'video'])) {
    void permission(kind).then((status) => status?.addEventListener('change', permitted, { signal }));
  }
}
