/** @typedef {'audio' | 'video'} Kind */

const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 } };
/** In place of an exception's name, where pages get no access to devices at all. */
export const INSECURE = 'Insecure';
export const UNSUPPORTED = 'Unsupported';

/**
 * What could be opened, and the names of the exceptions for the rest.
 *
 * @typedef {{ streams: MediaStream[], failures: Map<Kind, string> }} Media
 */

/**
 * Opens devices of these kinds: together, which is one prompt, or else each that can be. Never rejects: a call works without.
 *
 * @param {Kind[]} kinds
 * @param {MediaDevices | undefined} devices missing on plain http outside localhost
 * @param {(kind: Kind) => Promise<PermissionState | undefined>} permitted
 * @param {Map<Kind, string>} [preferred] ids of devices
 * @returns {Promise<Media>}
 */
export async function openMedia(kinds, devices, permitted, preferred = new Map()) {
  if (kinds.length === 0) return { streams: [], failures: new Map() };
  if (!devices?.getUserMedia) return failed(kinds, globalThis.isSecureContext ? UNSUPPORTED : INSECURE);
  try {
    const wanted = kinds.map((kind) => [kind, constraints(kind, exactly(preferred.get(kind)))]);
    return { streams: [await devices.getUserMedia(Object.fromEntries(wanted))], failures: new Map() };
  } catch (error) {
    const { name } = /** @type {DOMException} */ (error);
    // The preferred one was unplugged. Not exactly, some browsers would rather open one with a better picture.
    if (kinds.length === 1 && preferred.has(kinds[0]) && name === 'OverconstrainedError') return openMedia(kinds, devices, permitted);
    if (kinds.length === 1) return failed(kinds, name);
    const states = await Promise.all(kinds.map(permitted));
    /** @type {Media} */
    const media = { streams: [], failures: new Map() };
    for (const [at, kind] of kinds.entries()) {
      const alone = name === 'NotAllowedError' && !mayTry(states[at], states) ? failed([kind], name) : await openMedia([kind], devices, permitted, preferred);
      media.streams.push(...alone.streams);
      for (const [lacking, why] of alone.failures) media.failures.set(lacking, why);
    }
    return media;
  }
}

/**
 * One kind that is denied fails both. If none is, the user has just refused, and asking again for less would only annoy.
 *
 * @param {PermissionState | undefined} state
 * @param {(PermissionState | undefined)[]} all
 */
function mayTry(state, all) {
  return state === 'granted' || (state === 'prompt' && all.includes('denied'));
}

/**
 * @param {Kind[]} kinds
 * @param {string} why
 * @returns {Media}
 */
function failed(kinds, why) {
  return { streams: [], failures: new Map(kinds.map((kind) => [kind, why])) };
}

/**
 * Opens this device and no other. Rejects if it cannot.
 *
 * @param {MediaDevices} devices
 * @param {Kind} kind
 * @param {string} deviceId
 */
export function openOne(devices, kind, deviceId) {
  return devices.getUserMedia({ [kind]: constraints(kind, exactly(deviceId)) });
}

/** @param {string} [deviceId] @returns {MediaTrackConstraints} */
function exactly(deviceId) {
  return deviceId ? { deviceId: { exact: deviceId } } : {};
}

/**
 * @param {Kind} kind
 * @param {MediaTrackConstraints} device
 * @returns {MediaTrackConstraints | true}
 */
function constraints(kind, { deviceId }) {
  const which = deviceId ? { deviceId } : {};
  if (kind === 'video') return { ...PICTURE, ...which };
  return deviceId ? which : true;
}
