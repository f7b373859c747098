/** Four tables, so that four bytes are taken at once: the n-th is for a byte with n bytes after it. */
const TABLES = tables();

/**
 * CRC-32 as in zlib and Ethernet (reversed polynomial 0xedb88320), resumable.
 *
 * @param {Uint8Array} bytes
 * @param {number} [before] of everything before them
 */
export function crc32(bytes, before = 0) {
  const [one, two, three, four] = TABLES;
  let crc = ~before;
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) {
    crc ^= bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    crc = four[crc & 255] ^ three[(crc >>> 8) & 255] ^ two[(crc >>> 16) & 255] ^ one[crc >>> 24];
  }
  for (; at < bytes.length; at += 1) crc = one[(crc ^ bytes[at]) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

function tables() {
  const [first, ...more] = Array.from({ length: 4 }, () => new Int32Array(256));
  for (let byte = 0; byte < 256; byte += 1) {
    first[byte] = byte;
    for (let bit = 0; bit < 8; bit += 1) first[byte] = first[byte] & 1 ? (first[byte] >>> 1) ^ 0xedb88320 : first[byte] >>> 1;
  }
  let before = first;
  for (const table of more) {
    for (let byte = 0; byte < 256; byte += 1) table[byte] = (before[byte] >>> 8) ^ first[before[byte] & 255];
    before = table;
  }
  return [first, ...more];
}
