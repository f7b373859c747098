/** @import { MediaChoice } from './address.js' */

const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 } };

/**
 * The devices that could be opened, and a notice about the others.
 *
 * @typedef {'audio' | 'video'} Kind
 * @typedef {{ stream: MediaStream | null, notice: string }} Media
 */

/**
 * Opens camera and microphone, as far as possible. Never fails: a call works without them.
 *
 * @param {MediaChoice} choice
 * @param {MediaDevices | undefined} [devices] missing on plain http outside localhost
 * @returns {Promise<Media>}
 */
export async function openMedia(choice, devices = navigator.mediaDevices) {
  if (choice === 'none') return { stream: null, notice: '' };
  if (!devices?.getUserMedia) {
    const why = globalThis.isSecureContext ? 'This browser gives pages no access to camera or microphone.' : 'Browsers allow camera and microphone only on https pages.';
    return { stream: null, notice: `${why} You can still chat.` };
  }
  try {
    return { stream: await devices.getUserMedia(constraints(choice)), notice: '' };
  } catch (error) {
    const reason = explain(/** @type {DOMException} */ (error).name, choice);
    if (choice === 'both' && !isRefusal(error)) return withoutCamera(devices, reason);
    return { stream: null, notice: `${reason} You can still ${choice === 'audio' ? 'listen' : 'watch'} and chat.` };
  }
}

/**
 * @param {MediaDevices} devices
 * @param {string} reason
 * @returns {Promise<Media>}
 */
async function withoutCamera(devices, reason) {
  const { stream } = await openMedia('audio', devices);
  return { stream, notice: `${reason} ${stream ? 'Others can hear you but not see you.' : 'You can still watch and chat.'}` };
}

/** @param {MediaChoice} choice */
function constraints(choice) {
  return { audio: true, video: choice === 'both' && PICTURE };
}

/**
 * Opens one device as a replacement. Rejects if it cannot.
 *
 * @param {MediaDevices} devices
 * @param {Kind} kind
 * @param {string} [deviceId]
 */
export function openOne(devices, kind, deviceId) {
  const exact = deviceId ? { deviceId: { exact: deviceId } } : {};
  return devices.getUserMedia(kind === 'video' ? { video: { ...PICTURE, ...exact } } : { audio: exact });
}

/** After a refusal, asking again for less would only annoy. @param {unknown} error */
function isRefusal(error) {
  return /** @type {DOMException} */ (error).name === 'NotAllowedError';
}

/**
 * @param {string} name of the exception
 * @param {MediaChoice | Kind} choice what was asked for
 */
export function explain(name, choice) {
  const what = choice === 'both' ? 'Camera and microphone' : choice === 'video' ? 'The camera' : 'The microphone';
  const they = choice === 'both' ? 'are' : 'is';
  if (name === 'NotAllowedError') return `${what} ${they} not allowed for this page.`;
  if (name === 'NotFoundError') return choice === 'both' || choice === 'video' ? 'No camera was found.' : 'No microphone was found.';
  if (name === 'NotReadableError') return `${what} ${they} in use by another program.`;
  return `${what} could not be opened (${name}).`;
}
