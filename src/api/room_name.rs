//! Names of rooms: how the document describes them, and names for those that were not given one.

use utoipa::ToSchema;

use crate::{
    api::{
        auth::token::TokenKey,
        problem::{Code, Problem},
    },
    domain::RoomName,
};

/// 1 to 64 of `A-Za-z0-9._~-`, and neither `.` nor `..`, which a URL parser would resolve away.
#[derive(ToSchema)]
#[schema(as = RoomName, value_type = String, min_length = 1, max_length = 64, example = "tea",
    pattern = r"^(\.{0,2}[A-Za-z0-9_~-][A-Za-z0-9._~-]*|\.{3}[A-Za-z0-9._~-]*)$")]
#[allow(dead_code, reason = "the document's view of the domain's `RoomName`")]
pub struct RoomNameText(String);

const CONSONANTS: &[u8; 16] = b"bdfghjklmnprstvz";
const VOWELS: &[u8; 4] = b"aiou";

/// A short name that can be said aloud, like `tobu-kali-mizo`. With an idempotency key it follows from the key, so that
/// a repeated request finds the room that the first one made.
pub fn generate_room_name(tokens: &TokenKey, key: Option<&str>, attempt: u64) -> Result<RoomName, Problem> {
    let number = match key {
        Some(key) => tokens.derive(b"room-name", format!("{attempt} {key}").as_bytes()),
        None => getrandom::u64().map_err(|_| Problem::new(Code::Internal, "There is no randomness."))?,
    };
    RoomName::parse(&spell(number)).ok_or_else(|| Problem::new(Code::Internal, "The name is none."))
}

/// Six syllables of six bits each.
fn spell(mut number: u64) -> String {
    let mut name = String::with_capacity(14);
    for syllable in 0..6 {
        if syllable > 0 && syllable % 2 == 0 {
            name.push('-');
        }
        let (consonant, vowel) = (number as usize & 15, number as usize >> 4 & 3);
        name.push(CONSONANTS[consonant].into());
        name.push(VOWELS[vowel].into());
        number >>= 6;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_six_syllables() {
        assert_eq!(spell(0), "baba-baba-baba");
        assert_eq!(spell(u64::MAX), "zuzu-zuzu-zuzu");
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
