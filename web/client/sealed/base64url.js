/** Base64url without padding (RFC 4648, section 5). @param {Uint8Array} bytes */
export function encode(bytes) {
  // In parts, because the number of arguments of a call is limited.
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/**
 * Null if it is not the one text that {@link encode} makes of some bytes (RFC 4648, section 3.5).
 *
 * @param {string} text
 */
export function decode(text) {
  if (!/^[\w-]*$/.test(text) || text.length % 4 === 1) return null;
  const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
  return encode(bytes) === text ? bytes : null;
}
