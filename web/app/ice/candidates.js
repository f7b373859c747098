/**
 * A way to reach an end, as its description says.
 *
 * @typedef {object} Candidate
 * @property {'host' | 'srflx' | 'prflx' | 'relay'} type
 * @property {string} protocol
 * @property {string} address
 * @property {number} port
 */

const LINE = /^a=candidate:\S+ 1 (\S+) \d+ (\S+) (\d+) typ (host|srflx|prflx|relay)/;

/**
 * The candidates in a description, which browsers keep complete as more are found. Those for RTCP, which nobody uses any
 * more, and repetitions for each medium are left out.
 *
 * @param {string | undefined} sdp
 * @returns {Candidate[]}
 */
export function candidatesOf(sdp = '') {
  /** @type {Map<string, Candidate>} */
  const found = new Map();
  for (const line of sdp.split(/\r?\n/)) {
    const [all, protocol, address, port, type] = LINE.exec(line) ?? [];
    if (!all) continue;
    const candidate = { type: /** @type {Candidate['type']} */ (type), protocol: protocol.toLowerCase(), address, port: Number(port) };
    found.set(`${type} ${protocol} ${address} ${port}`, candidate);
  }
  return [...found.values()];
}

/** What each type is, for people. */
export const TYPES = {
  host: 'its own address',
  srflx: 'as STUN saw it',
  prflx: 'as the other end saw it',
  relay: 'at the relay',
};

/**
 * An address that only has a meaning on one network. A `.local` name hides such a one.
 *
 * @param {string} address
 */
export function isPrivate(address) {
  return /^(10|127|169\.254|192\.168|172\.(1[6-9]|2\d|3[01]))\.|^(::1$|f[cd]|fe[89ab])|\.local$/i.test(address);
}

/** Only this very machine is at such an address. @param {string} address */
export function isLoopback(address) {
  return /^127\.|^::1$/.test(address);
}
