//! A room's secret.

use std::fmt;

/// A keyed digest of a room's secret: the secret itself is not stored. Compared in constant time, never printed.
#[derive(Clone, Copy)]
pub struct Secret([u8; Secret::LEN]);

impl Secret {
    pub const LEN: usize = 14;

    pub const fn from_digest(digest: [u8; Self::LEN]) -> Self {
        Self(digest)
    }

    /// Only for storing it.
    pub const fn as_digest(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        let differing = self.0.iter().zip(&other.0).fold(0, |seen, (a, b)| seen | (a ^ b));
        std::hint::black_box(differing) == 0
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
