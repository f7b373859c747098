/** @import { Environment } from '../types.d.ts' */

/**
 * Tells when the browser says that it is online again, or on another network.
 *
 * @param {Pick<Environment, 'page' | 'connection'>} env
 * @param {() => void} changed
 * @returns {() => void} ends that
 */
export function onOtherNetwork({ page, connection }, changed) {
  const ends = [on(page, 'online', changed), on(connection, 'change', otherKind(connection, changed))];
  return () => ends.forEach((end) => end());
}

/**
 * @param {EventTarget | undefined} target
 * @param {string} name
 * @param {() => void} listener
 * @returns {() => void} removes the listener
 */
export function on(target, name, listener) {
  target?.addEventListener(name, listener);
  return () => target?.removeEventListener(name, listener);
}

/**
 * `navigator.connection` also changes with its speed estimate. On phones, `type` tells whether the network changed.
 *
 * @param {Environment['connection']} connection
 * @param {() => void} changed
 */
function otherKind(connection, changed) {
  let kind = connection?.type;
  return () => {
    if (kind !== undefined && connection?.type === kind) return;
    kind = connection?.type;
    changed();
  };
}
