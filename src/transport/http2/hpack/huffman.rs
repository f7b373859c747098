//! The Huffman code of strings (RFC 7541 section 5.2).
//!
//! The code is canonical: codes of one length are consecutive numbers in the order of their symbols. So all tables here are
//! computed, at compile time, from the lengths.

use crate::transport::http2::hpack::HpackError;

/// The length of each symbol's code in bits (RFC 7541 appendix B). The last symbol is EOS.
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
    28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12,
    10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6,
    5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22,
    22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20,
    22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28,
    27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28,
    27, 27, 27, 27, 27, 26, 30,
];
/// The end of the string, which is never sent.
const EOS: u16 = 256;
const LENGTH_MAX: usize = 30;
/// Codes of at most 8 bits, which is all letters, digits and most punctuation, are looked up by the next byte.
const SHORT_BITS: usize = 8;

/// The symbol and the length of the code that a byte begins with; length 0 if the code is longer.
static SHORT: [(u8, u8); 1 << SHORT_BITS] = short_codes();
/// Symbols by the length of their codes.
static SYMBOLS: [u16; 257] = sorted_symbols();
static CODES: [Codes; LENGTH_MAX + 1] = codes_by_length();

/// The codes of one length.
#[derive(Clone, Copy)]
struct Codes {
    first: u32,
    /// The first number after them, as if it had [`LENGTH_MAX`] bits. Longer codes are not below it.
    end: u32,
    /// The index of the first code's symbol in [`SYMBOLS`].
    index: usize,
}

/// Appends the decoded text.
pub fn decode(mut input: &[u8], text: &mut Vec<u8>) -> Result<(), HpackError> {
    text.reserve(input.len() * 8 / 5);
    // The next bits, from the highest on; zeros follow after them.
    let (mut bits, mut count) = (0_u64, 0);
    loop {
        if count < LENGTH_MAX {
            if let Some((next, rest)) = input.split_first_chunk::<4>() {
                bits |= u64::from(u32::from_be_bytes(*next)) << (32 - count);
                (input, count) = (rest, count + 32);
            } else if let Some((next, rest)) = input.split_first() {
                bits |= u64::from(*next) << (56 - count);
                (input, count) = (rest, count + 8);
                continue;
            }
        }
        let (symbol, length) = match SHORT[(bits >> (64 - SHORT_BITS)) as usize] {
            (_, 0) => long_code((bits >> (64 - LENGTH_MAX)) as u32),
            (symbol, length) => (u16::from(symbol), usize::from(length)),
        };
        if length > count {
            break;
        }
        if symbol == EOS {
            return Err(HpackError);
        }
        text.push(symbol as u8);
        bits <<= length;
        count -= length;
    }
    // What is left is padding: less than a byte, and the beginning of EOS, which is all ones.
    if count < 8 && bits.leading_ones() as usize == count { Ok(()) } else { Err(HpackError) }
}

fn long_code(bits: u32) -> (u16, usize) {
    let longer = CODES.iter().enumerate().skip(SHORT_BITS + 1);
    let found = longer.clone().find(|(_, codes)| bits < codes.end);
    let Some((length, codes)) = found else { return (EOS, LENGTH_MAX) };
    let code = bits >> (LENGTH_MAX - length);
    (SYMBOLS[codes.index + (code - codes.first) as usize], length)
}

const fn sorted_symbols() -> [u16; 257] {
    let mut symbols = [0; 257];
    let (mut count, mut length) = (0, 0);
    while length <= LENGTH_MAX {
        let mut symbol = 0;
        while symbol < LENGTHS.len() {
            if LENGTHS[symbol] as usize == length {
                symbols[count] = symbol as u16;
                count += 1;
            }
            symbol += 1;
        }
        length += 1;
    }
    symbols
}

const fn codes_by_length() -> [Codes; LENGTH_MAX + 1] {
    let mut all = [Codes { first: 0, end: 0, index: 0 }; LENGTH_MAX + 1];
    let symbols = sorted_symbols();
    let (mut code, mut index, mut length) = (0, 0, 1);
    while length <= LENGTH_MAX {
        code <<= 1;
        all[length] = Codes { first: code, end: 0, index };
        while index < symbols.len() && LENGTHS[symbols[index] as usize] as usize == length {
            code += 1;
            index += 1;
        }
        all[length].end = code << (LENGTH_MAX - length);
        length += 1;
    }
    all
}

const fn short_codes() -> [(u8, u8); 1 << SHORT_BITS] {
    let mut short = [(0, 0); 1 << SHORT_BITS];
    let (symbols, codes) = (sorted_symbols(), codes_by_length());
    let mut index = 0;
    while index < symbols.len() {
        let symbol = symbols[index];
        let length = LENGTHS[symbol as usize] as usize;
        if length <= SHORT_BITS {
            let code = codes[length].first as usize + index - codes[length].index;
            let mut byte = code << (SHORT_BITS - length);
            while byte < (code + 1) << (SHORT_BITS - length) {
                short[byte] = (symbol as u8, length as u8);
                byte += 1;
            }
        }
        index += 1;
    }
    short
}
