//! Room names: their schema, and generated names for rooms created without one.

use utoipa::ToSchema;

use crate::{
    api::{Code, Problem, auth::token::TokenKey},
    domain::RoomName,
};

/// 1 to 64 of `A-Za-z0-9._~-`, and neither `.` nor `..`, which a URL parser would resolve away.
#[derive(ToSchema)]
#[schema(as = RoomName, value_type = String, min_length = 1, max_length = 64, example = "tea",
    pattern = r"^(\.{0,2}[A-Za-z0-9_~-][A-Za-z0-9._~-]*|\.{3}[A-Za-z0-9._~-]*)$")]
#[allow(dead_code, reason = "only described")]
pub struct RoomNameText(String);

const CONSONANTS: &[u8; 16] = b"bdfghjklmnprstvz";
const VOWELS: &[u8; 4] = b"aiou";

/// A short, pronounceable name such as `tobu-kali-mizo`. It is derived from the idempotency key, if any, so that a repeated
/// request finds the room that the first one created.
pub fn generate_room_name(tokens: &TokenKey, key: Option<&str>, attempt: u64) -> Result<RoomName, Problem> {
    let number = match key {
        Some(key) => tokens.derive(b"room-name", format!("{attempt} {key}").as_bytes()),
        None => getrandom::u64().map_err(|_| Problem::new(Code::Internal, "No random numbers are available."))?,
    };
    RoomName::parse(&pronounceable(number))
        .ok_or_else(|| Problem::new(Code::Internal, "The generated room name is invalid."))
}

/// Six syllables of six bits each.
fn pronounceable(number: u64) -> String {
    let syllable = |at: usize| {
        let bits = (number >> (6 * at)) as usize;
        [char::from(CONSONANTS[bits & 15]), char::from(VOWELS[bits >> 4 & 3])]
    };
    let word = |at: usize| -> String { [syllable(at), syllable(at + 1)].as_flattened().iter().collect() };
    [word(0), word(2), word(4)].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_six_syllables() {
        assert_eq!(pronounceable(0), "baba-baba-baba");
        assert_eq!(pronounceable(u64::MAX), "zuzu-zuzu-zuzu");
    }

    #[test]
    fn the_same_key_gives_the_same_name() {
        let tokens = TokenKey::random().unwrap();
        let name = |key, attempt| generate_room_name(&tokens, key, attempt).unwrap();
        assert_eq!(name(Some("k"), 0), name(Some("k"), 0));
        assert_ne!(name(Some("k"), 0), name(Some("k"), 1));
        assert_ne!(name(None, 0), name(None, 0));
    }
}
