/** Does this host name lead to the same machine wherever it is used? @param {string} hostname */
export function isLoopback(hostname) {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\]|0\.0\.0\.0)$/i.test(hostname);
}

/**
 * The same link at another address of the server; null if what was typed is no address, or leads to the same machine only.
 *
 * @param {string} link
 * @param {string} typed such as `192.168.1.20:8080` or `https://calls.example.org`
 */
export function atAddress(link, typed) {
  const { protocol, pathname, search, hash, port } = new URL(link);
  const text = typed.trim().replace(/\/+$/, '');
  try {
    const base = new URL(/^https?:\/\//i.test(text) ? text : `${protocol}//${text}`);
    if (text === '' || isLoopback(base.hostname)) return null;
    // A bare address means the port of this page.
    if (!/^https?:/i.test(text) && !/:\d+$/.test(text)) base.port = port;
    return new URL(base.origin + (base.pathname === '/' ? pathname : `${base.pathname}/`) + search + hash).href;
  } catch {
    return null;
  }
}
