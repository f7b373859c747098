//! Encodes response fields (RFC 7541 section 6), without the dynamic table and without Huffman code: responses have few fields,
//! and a table would take memory on every connection.

use crate::transport::http2::hpack::static_table::STATIC_TABLE;

/// The first byte of an indexed field, with 7 bits of its index.
const INDEXED: u8 = 0x80;
/// The first byte of a literal field that is not added to the table, with 4 bits of its name's index.
const LITERAL: u8 = 0;
/// The first byte of a size update, with 5 bits of the size.
const SIZE_UPDATE: u8 = 0x20;
/// `:status` in the static table, followed by others with the most frequent values.
const STATUS: std::ops::Range<usize> = 7..14;

/// Sets the size of the table to 0, which is all that is used of it. Only at the start of a block (section 6.3).
pub fn write_empty_table(out: &mut Vec<u8>) {
    out.push(SIZE_UPDATE);
}

pub fn write_status(status: u16, out: &mut Vec<u8>) {
    let digits = [100, 10, 1].map(|unit| b'0' + (status / unit % 10) as u8);
    match STATIC_TABLE[STATUS].iter().position(|(_, value)| value.as_bytes() == digits) {
        Some(at) => write_integer(INDEXED, 7, STATUS.start + at + 1, out),
        None => {
            write_integer(LITERAL, 4, STATUS.start + 1, out);
            write_string(&digits, out);
        }
    }
}

/// Writes a field whose name is in lower case.
pub fn write_field(name: &str, value: &[u8], out: &mut Vec<u8>) {
    match STATIC_TABLE[STATUS.end..].iter().position(|(known, _)| *known == name) {
        Some(at) => write_integer(LITERAL, 4, STATUS.end + at + 1, out),
        None => {
            out.push(LITERAL);
            write_string(name.as_bytes(), out);
        }
    }
    write_string(value, out);
}

fn write_string(text: &[u8], out: &mut Vec<u8>) {
    write_integer(0, 7, text.len(), out);
    out.extend_from_slice(text);
}

/// Section 5.1.
fn write_integer(first: u8, prefix: u32, value: usize, out: &mut Vec<u8>) {
    let mask = (1 << prefix) - 1;
    let Some(mut rest) = value.checked_sub(mask) else {
        out.push(first | value as u8);
        return;
    };
    out.push(first | mask as u8);
    while rest > 0x7f {
        out.push(0x80 | (rest & 0x7f) as u8);
        rest >>= 7;
    }
    out.push(rest as u8);
}
