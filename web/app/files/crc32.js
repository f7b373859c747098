/** Four tables, so that four bytes are taken at once: the n-th is for a byte with n bytes after it. */
const TABLES = tables();

/**
 * CRC-32 as in zlib and Ethernet (reversed polynomial 0xedb88320), which can go on where it stopped.
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
  const all = Array.from({ length: 4 }, () => new Int32Array(256));
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    for (const table of all) {
      table[byte] = crc;
      crc = (crc >>> 8) ^ all[0][crc & 255];
    }
  }
  return all;
}
