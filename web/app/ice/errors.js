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
  const kind = url.startsWith('stun') ? 'STUN' : 'TURN';
  switch (code) {
    case 401:
      return {
        what: `${host} refuses the TURN credentials (401)`,
        todo: 'The operator should compare --turn-secret with the TURN server’s static-auth-secret, and check both clocks.',
      };
    case 403:
      return { what: `${host} forbids this (403)`, todo: 'This seat may be gone: reload the page. Otherwise the operator should check the TURN server’s allowed and denied peers.' };
    case 486:
      return { what: `${host} refuses: this user’s relay quota is used up (486)`, todo: 'Try again in a few minutes. The operator may raise --turn-per-user, or user-quota of another TURN server.' };
    case 508:
      return { what: `${host} has no relays left (508)`, todo: 'The operator should raise --turn-total, or give another TURN server more ports (min-port, max-port) or a larger total-quota.' };
  }
  if (code < 700) return { what: `${host} refuses (${code} ${isolate(text)})`, todo: 'The operator should check that server’s log.' };
  if (/lookup|resolv/i.test(text)) {
    return { what: `No server has the name ${host}`, todo: 'The operator should check the spelling. If it works on other networks, this network’s DNS is at fault.' };
  }
  const blocked = kind === 'STUN' ? 'UDP' : transportOf(url);
  return {
    what: `${host} does not respond over ${blocked}`,
    todo: `Either the ${kind} server is not running on that port, or a firewall blocks ${blocked}.`,
  };
}
