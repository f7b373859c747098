/** @import { Kind } from './media.js' */

const NAMES = { audio: 'microphone', video: 'camera' };

/** Undefined if the browser does not tell. @param {Kind} kind @returns {Promise<PermissionStatus | undefined>} */
export async function permission(kind) {
  try {
    return await navigator.permissions.query({ name: /** @type {PermissionName} */ (NAMES[kind]) });
  } catch {
    return undefined;
  }
}
