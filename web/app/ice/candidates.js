/**
 * A candidate from a session description.
 *
 * @typedef {object} Candidate
 * @property {'host' | 'srflx' | 'prflx' | 'relay'} type
 * @property {string} protocol
 * @property {string} address
 * @property {number} port
 */

const LINE = /^a=candidate:\S+ 1 (\S+) \d+ (\S+) (\d+) typ (host|srflx|prflx|relay)/;

/**
 * The candidates in a description; browsers add to it as more are found. Without those for RTCP, which is multiplexed today,
 * and without duplicates in other media sections.
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

/**
 * Is an address valid on one network only? A `.local` name hides such an address.
 *
 * @param {string} address
 */
export function isPrivate(address) {
  return /^(10|127|169\.254|192\.168|172\.(1[6-9]|2\d|3[01]))\.|^(::1$|f[cd]|fe[89ab])|\.local$/i.test(address);
}

/** Does an address belong to the same machine? @param {string} address */
export function isLoopback(address) {
  return /^127\.|^::1$/.test(address);
}
