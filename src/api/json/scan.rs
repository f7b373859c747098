//! Finds the end of the unescaped part of a JSON string.

/// The number of bytes before the first quotation mark, backslash or control character.
pub fn unescaped_len(bytes: &[u8]) -> usize {
    // Blocks first, which compilers turn into vector instructions; then words ("Determine if a word has a zero byte", Bit
    // Twiddling Hacks).
    let blocks = bytes.as_chunks::<32>().0.iter();
    let plain =
        32 * blocks.take_while(|block| !block.iter().fold(false, |marked, byte| marked | is_mark(*byte))).count();
    let (words, rest) = bytes[plain..].as_chunks();
    for (index, word) in words.iter().enumerate() {
        let marks = marks(u64::from_le_bytes(*word));
        if marks != 0 {
            return plain + index * 8 + marks.trailing_zeros() as usize / 8;
        }
    }
    plain + words.len() * 8 + rest.iter().take_while(|byte| !is_mark(**byte)).count()
}

fn is_mark(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Sets the highest bit of each such byte. The lowest one set is right; a higher one may be a false positive.
fn marks(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word;
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, 0x20) | is(b'"') | is(b'\\')) & (ONES << 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scan_stops_at_the_first_special_byte() {
        for length in 0..100 {
            let mut bytes = vec![b'\x7f'; length];
            assert_eq!(unescaped_len(&bytes), length);
            for at in 0..length {
                for mark in [0, 0x1f, b'"', b'\\'] {
                    bytes[at] = mark;
                    assert_eq!(unescaped_len(&bytes), at);
                }
                bytes[at] = [b' ', b'!', b'#', b'[', b']', 0x80, 0xff][at % 7];
            }
        }
    }
}
