import { openOne } from './media.js';

/** @import { Kind } from './media.js' */
/** @import { MissingDevices } from './missing.js' */
/** @import { OwnStream } from './own-stream.js' */

/**
 * Opens a device in place of the one in use, or of a missing one. Resolves with null if it cannot be opened, or is not wanted any more. The
 * one in use is kept until then.
 *
 * @param {MediaDevices} devices
 * @param {Kind} kind
 * @param {string} deviceId
 * @param {{ own: OwnStream, missing: MissingDevices, used: Map<Kind, string> }} now
 * @returns {Promise<MediaStream | null>}
 */
export async function swap(devices, kind, deviceId, { own, missing, used }) {
  const [old, lack] = [own.trackOf(kind), missing.get(kind)];
  let freed = false;
  try {
    const stream = await openInstead(devices, kind, deviceId, () => {
      freed = true;
      if (old) own.drop(old);
    });
    // Meanwhile, the old one may have been switched off, or the missing one may have come back.
    const isWanted = lack ? missing.has(kind) : freed || own.trackOf(kind) === old;
    if (isWanted) return stream;
    for (const track of stream.getTracks()) track.stop();
  } catch (error) {
    const isKept = own.trackOf(kind) && !lack;
    if (!isKept) missing.set(kind, { deviceId: used.get(kind) ?? null, ...lack, why: 'failed', error: /** @type {DOMException} */ (error).name });
  }
  return null;
}

/**
 * Some phones open one camera at a time: there, the old one is freed first.
 *
 * @param {MediaDevices} devices
 * @param {Kind} kind
 * @param {string} deviceId
 * @param {() => void} free the old one
 */
async function openInstead(devices, kind, deviceId, free) {
  try {
    return await openOne(devices, kind, deviceId);
  } catch (error) {
    const { name } = /** @type {DOMException} */ (error);
    if (kind !== 'video' || (name !== 'NotReadableError' && name !== 'AbortError')) throw error;
    free();
    return openOne(devices, kind, deviceId);
  }
}
