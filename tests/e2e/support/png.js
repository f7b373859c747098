import { crc32 } from 'node:zlib';

/** Where the first chunk ends: 8 bytes of signature, IHDR with 13 of data (PNG, section 11.2.1). */
const AFTER_HEADER = 8 + 12 + 13;
const KEYWORD = 'Description';

/** The picture with an embedded text (PNG, section 11.3.3.2: keyword, null, text; ASCII here). */
export function withText(png, text) {
  const body = Buffer.from(`tEXt${KEYWORD}\0${encodeURI(text)}`, 'latin1');
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length - 4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([png.subarray(0, AFTER_HEADER), length, body, check, png.subarray(AFTER_HEADER)]);
}

/** The text that {@link withText} embedded, or null. */
export function textOf(png) {
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    const [keyword, text] = png.toString('latin1', at + 8, at + 8 + length).split('\0');
    if (png.toString('latin1', at + 4, at + 8) === 'tEXt' && keyword === KEYWORD) return decodeURI(text);
    at += 12 + length;
  }
  return null;
}
