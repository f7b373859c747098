import { say } from '../languages/say.js';
import { inOneLine, isolate } from '../names.js';

/**
 * An error while candidates were gathered.
 *
 * @typedef {object} IceError
 * @property {string} url of the STUN or TURN server
 * @property {number} code of STUN (RFC 8489, RFC 8656), or 701 if there was no response
 * @property {string} text from the server or the browser
 */

/** @param {RTCPeerConnectionIceErrorEvent} event @returns {IceError} */
export function iceError({ url, errorCode: code, errorText: text }) {
  return { url, code, text: inOneLine(text ?? '') };
}

/** The host of a STUN or TURN URL. @param {string} url */
export function hostOf(url) {
  const [, host] = /^(?:stuns?|turns?):(\[[^\]]*\]|[^:?]*)/.exec(url) ?? [];
  return host || url;
}

/** How a client reaches a TURN server. @param {string} url */
export function transportOf(url) {
  const secure = /^turns:/.test(url);
  if (/transport=tcp/i.test(url)) return secure ? 'TLS' : 'TCP';
  return secure && !/transport=udp/i.test(url) ? 'TLS' : 'UDP';
}

/** A refusal says more than silence towards another of the machine's addresses. @param {IceError} error */
const telling = ({ code }) => (code < 700 ? 1 : 0);

/**
 * The error that says most about a server.
 *
 * @param {IceError[]} errors
 * @param {string} [url] of the server
 */
export function worstOf(errors, url) {
  const of = errors.filter((error) => url === undefined || sameServer(error.url, url));
  return of.sort((a, b) => telling(b) - telling(a))[0];
}

/** Browsers write the URL in an error with or without its parameters. @param {string} one @param {string} other */
function sameServer(one, other) {
  const bare = (/** @type {string} */ url) => url.replace(/\?.*/, '');
  const exact = one.includes('?') && other.includes('?');
  return exact ? one === other : bare(one) === bare(other);
}

/**
 * What went wrong and what to do about it, for the user.
 *
 * @param {IceError} error
 * @param {string} url
 * @returns {{ what: string, todo: string }}
 */
export function explain({ code, text }, url) {
  const host = hostOf(url);
  switch (code) {
    case 401:
      return { what: say('ice-credentials', { host }), todo: say('ice-credentials-todo') };
    case 403:
      return { what: say('ice-forbidden', { host }), todo: say('ice-forbidden-todo') };
    case 486:
      return { what: say('ice-quota', { host }), todo: say('ice-quota-todo') };
    case 508:
      return { what: say('ice-no-relays', { host }), todo: say('ice-no-relays-todo') };
  }
  if (code < 700) return { what: say('ice-refuses', { host, code, text: isolate(text) }), todo: say('ice-refuses-todo') };
  if (/lookup|resolv/i.test(text)) return { what: say('ice-no-name', { host }), todo: say('ice-no-name-todo') };
  const kind = url.startsWith('stun') ? 'STUN' : 'TURN';
  const protocol = kind === 'STUN' ? 'UDP' : transportOf(url);
  return { what: say('ice-silent', { host, protocol }), todo: say('ice-silent-todo', { kind, protocol }) };
}
