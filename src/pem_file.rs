//! Certificates and keys in files.

use std::{io, path::Path};

/// A file in PEM, without the byte order mark that editors on Windows put in front: it would hide the first section.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut pem = std::fs::read(path)?;
    if [[0xff, 0xfe], [0xfe, 0xff]].iter().any(|mark| pem.starts_with(mark)) {
        return Err(io::Error::other("it is in UTF-16; save it in UTF-8"));
    }
    if pem.starts_with("\u{feff}".as_bytes()) {
        pem.drain(..3);
    }
    Ok(pem)
}
