//! Proof of who holds a seat, and where it is kept from one process to the next.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::{fmt, process};

use serde::{Deserialize, Serialize};

/// A credential: anybody who has it can act as the peer. Its `Debug` shows no token.
///
/// ```
/// let kept = r#"{"peer": "c5b7…", "token": "…"}"#;
/// let seat: signalpost_client::Seat = serde_json::from_str(kept)?;
/// let text = serde_json::to_string(&seat)?;
/// # assert!(text.contains("token"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Seat {
    /// The id of the peer.
    pub peer: String,
    /// Speaks for the peer.
    pub token: String,
    /// Allows to close the room, if this member created it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room_token: Option<String>,
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat").field("peer", &self.peer).finish_non_exhaustive()
    }
}

/// A file with a seat, which only its owner can read.
#[derive(Debug)]
pub(crate) struct SeatFile {
    path: PathBuf,
}

impl SeatFile {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// None if there is none, or something else.
    pub(crate) fn load(&self) -> Option<Seat> {
        serde_json::from_slice(&fs::read(&self.path).ok()?).ok()
    }

    /// Replaced as a whole, so that a crash leaves the old seat or the new one.
    pub(crate) fn save(&self, seat: &Seat) -> io::Result<()> {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}", process::id()));
        let draft = self.path.with_file_name(name);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&draft)?.write_all(&serde_json::to_vec(seat)?)?;
        fs::rename(draft, &self.path)
    }

    /// Drops this seat, but not another one that was kept meanwhile.
    pub(crate) fn discard(&self, seat: &Seat) {
        if self.load().is_some_and(|kept| kept.token == seat.token) {
            let _ = fs::remove_file(&self.path);
        }
    }
}
