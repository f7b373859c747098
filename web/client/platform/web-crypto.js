import { Unsupported } from './unsupported.js';

/** Browsers have it on `https:` and on `localhost` only (W3C Web Cryptography API, section 10). Throws `Unsupported`. */
export function subtle() {
  const found = globalThis.crypto?.subtle;
  if (!found) throw new Unsupported('webcrypto-missing');
  return found;
}

export function hasWebCrypto() {
  return Boolean(globalThis.crypto?.subtle);
}
