//! Text in files, without the byte order mark that editors and shells of Windows put before it.

use std::{io, path::Path};

const UTF_8: &[u8] = "\u{feff}".as_bytes();
const UTF_16: [[u8; 2]; 2] = [[0xff, 0xfe], [0xfe, 0xff]];

/// Of a file in PEM, whose comments may have any encoding.
pub fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = std::fs::read(path)?;
    if UTF_16.iter().any(|mark| bytes.starts_with(mark)) {
        return Err(io::Error::other("it is in UTF-16; save it in UTF-8"));
    }
    if bytes.starts_with(UTF_8) {
        bytes.drain(..UTF_8.len());
    }
    Ok(bytes)
}

pub fn text(path: &Path) -> Result<String, String> {
    let bytes = bytes(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|_| "it is not in UTF-8".into())
}
