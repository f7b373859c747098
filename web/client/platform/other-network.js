/** @import { Environment } from '../types.d.ts' */

/**
 * Tells when the browser says that it is online again, or on another network.
 *
 * @param {Pick<Environment, 'page' | 'connection'>} env
 * @param {() => void} changed
 * @param {boolean} [sure] do not tell where only the estimate of its speed may have changed
 * @returns {() => void} ends that
 */
export function onOtherNetwork({ page, connection }, changed, sure = false) {
  const ends = [on(page, 'online', changed), on(connection, 'change', otherKind(connection, changed, sure))];
  return () => ends.forEach((end) => end());
}

/**
 * Listens before the target does: `resume` is for the document, and does not bubble to the window (Page Lifecycle).
 *
 * @param {EventTarget | undefined} target
 * @param {string} name
 * @param {() => void} listener
 * @returns {() => void} removes the listener
 */
export function on(target, name, listener) {
  target?.addEventListener(name, listener, true);
  return () => target?.removeEventListener(name, listener, true);
}

/**
 * `navigator.connection` also changes with its speed estimate. On phones, `type` tells whether the network changed.
 *
 * @param {Environment['connection']} connection
 * @param {() => void} changed
 * @param {boolean} sure
 */
function otherKind(connection, changed, sure) {
  let kind = connection?.type;
  return () => {
    if ((sure || kind !== undefined) && connection?.type === kind) return;
    kind = connection?.type;
    changed();
  };
}
