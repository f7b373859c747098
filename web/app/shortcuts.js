/** @typedef {'microphone' | 'camera' | 'chat' | 'hand' | 'talk' | 'help'} Action */

/** By key. The question mark has other forms on Arabic and East Asian keyboards. @type {Record<string, Action>} */
const ACTIONS = { m: 'microphone', v: 'camera', c: 'chat', h: 'hand', t: 'talk', '?': 'help', '؟': 'help', '？': 'help' };

/**
 * What a key does in a call; null if nothing. Where the layout has other letters, the position of the key counts.
 *
 * @param {Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'altKey' | 'metaKey' | 'repeat'>} pressed
 * @returns {Action | null}
 */
export function shortcutOf({ key, code, ctrlKey, altKey, metaKey, repeat }) {
  if (ctrlKey || altKey || metaKey || repeat) return null;
  const latin = /^[a-z?؟？]$/i.test(key) ? key.toLowerCase() : code.replace(/^Key/, '').toLowerCase();
  return ACTIONS[latin] ?? null;
}
