//! Sealed rooms: messages that the server can neither read nor change (docs/sealed.md in the repository). All cryptography is ring's.

mod base64url;
mod format;
mod key;
mod replays;
mod safety_number;
mod sealing;
mod seals;
#[cfg(test)]
mod vectors;

pub use key::RoomKey;
pub use safety_number::safety_number;
pub(crate) use sealing::Sealing;
