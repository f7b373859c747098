//! Decodes header blocks (RFC 7541 section 6).

use crate::transport::http2::hpack::{
    HpackError,
    dynamic_table::{DynamicTable, SIZE_MAX},
    huffman,
    static_table::STATIC_TABLE,
};

#[derive(Debug, Default)]
pub struct Decoder {
    table: DynamicTable,
}

/// The rest of a header block.
struct Block<'a>(&'a [u8]);

/// The flag of a string in Huffman code.
const HUFFMAN: u8 = 0x80;

impl Decoder {
    /// Passes on each field's name and value. Afterwards the table is as the client thinks it is, whatever becomes of the fields.
    pub fn decode(&mut self, block: &[u8], mut field: impl FnMut(&[u8], &[u8])) -> Result<(), HpackError> {
        let mut block = Block(block);
        let mut text = Vec::new();
        let mut may_resize = true;
        while let Some(first) = block.0.first() {
            match first.leading_zeros() {
                // An indexed field (section 6.1).
                0 => {
                    let (name, value) = self.get(block.integer(7)?)?;
                    field(name, value);
                }
                // A new size of the table (section 6.3), only before the first field (section 4.2).
                2 if may_resize => {
                    let size = block.integer(5)?;
                    if size > SIZE_MAX {
                        return Err(HpackError);
                    }
                    self.table.set_max_size(size);
                    continue;
                }
                2 => return Err(HpackError),
                // A literal field (section 6.2) that is added to the table, or is not.
                zeros => {
                    let added = zeros == 1;
                    let (name, value) = self.literal(&mut block, if added { 6 } else { 4 }, &mut text)?;
                    field(name, value);
                    if added {
                        self.table.insert(name, value);
                    }
                }
            }
            may_resize = false;
        }
        Ok(())
    }

    /// Reads a field into `text`. Its name is an index, or 0 and a string.
    fn literal<'t>(
        &self,
        block: &mut Block<'_>,
        prefix: u32,
        text: &'t mut Vec<u8>,
    ) -> Result<(&'t [u8], &'t [u8]), HpackError> {
        text.clear();
        match block.integer(prefix)? {
            0 => block.string(text)?,
            index => text.extend_from_slice(self.get(index)?.0),
        }
        let name_len = text.len();
        block.string(text)?;
        Ok(text.split_at(name_len))
    }

    fn get(&self, index: usize) -> Result<(&[u8], &[u8]), HpackError> {
        let index = index.checked_sub(1).ok_or(HpackError)?;
        match STATIC_TABLE.get(index) {
            Some((name, value)) => Ok((name.as_bytes(), value.as_bytes())),
            None => self.table.get(index - STATIC_TABLE.len()).ok_or(HpackError),
        }
    }
}

impl Block<'_> {
    /// An integer that begins in the low bits of the next byte (section 5.1). Bytes after the fourth could only exceed every
    /// limit.
    fn integer(&mut self, prefix: u32) -> Result<usize, HpackError> {
        let mask = (1 << prefix) - 1;
        let mut value = usize::from(self.byte()? & mask);
        if value < usize::from(mask) {
            return Ok(value);
        }
        for shift in [0, 7, 14, 21] {
            let byte = self.byte()?;
            value += usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(HpackError)
    }

    /// Appends a string (section 5.2) to `text`.
    fn string(&mut self, text: &mut Vec<u8>) -> Result<(), HpackError> {
        let is_huffman = self.0.first().ok_or(HpackError)? & HUFFMAN != 0;
        let length = self.integer(7)?;
        let (string, rest) = self.0.split_at_checked(length).ok_or(HpackError)?;
        self.0 = rest;
        if is_huffman {
            return huffman::decode(string, text);
        }
        text.extend_from_slice(string);
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, HpackError> {
        let (byte, rest) = self.0.split_first().ok_or(HpackError)?;
        self.0 = rest;
        Ok(*byte)
    }
}
