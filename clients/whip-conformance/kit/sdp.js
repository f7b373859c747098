/**
 * @typedef {object} Section
 * @property {string} kind
 * @property {number} port
 * @property {string[]} formats
 * @property {string[]} lines
 */

/**
 * A description, as far as the cases look into it.
 *
 * @param {string} text
 */
export function read(text) {
  const [session, ...parts] = text.split(/^(?=m=)/m).map((part) => part.split(/\r\n|\n/).filter(Boolean));
  const sections = parts.map((lines) => {
    const [, kind, port, formats] = /^m=(\S+) (\d+)(?:\/\d+)? \S+ (.*)$/.exec(lines[0]) ?? ['', '', '0', ''];
    return { kind, port: Number(port), formats: formats.split(' '), lines };
  });
  return { session, sections };
}

/**
 * The value of an attribute; '' for one without a value, undefined if it is missing.
 *
 * @param {string[]} lines
 * @param {string} name
 */
export function attribute(lines, name) {
  const line = lines.find((one) => one === `a=${name}` || one.startsWith(`a=${name}:`));
  return line?.slice(`a=${name}:`.length);
}

/** @param {string[]} lines */
export const candidates = (lines) => lines.filter((line) => line.startsWith('a=candidate:'));

/**
 * An attribute that may be given for the session or for a section (RFC 8839, section 5.4; RFC 8842, section 5).
 *
 * @param {{ session: string[] }} description
 * @param {Section} section
 * @param {string} name
 */
export const inherited = ({ session }, section, name) => attribute(section.lines, name) ?? attribute(session, name);

/** @param {string[]} lines */
export const directionOf = (lines) => lines.map((line) => /^a=(sendrecv|sendonly|recvonly|inactive)$/.exec(line)?.[1]).find(Boolean);
