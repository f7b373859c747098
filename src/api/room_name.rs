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

/// Four bits in each consonant, two in each vowel: the letters of proquints (arXiv:0901.4016).
const CONSONANTS: &[u8; 16] = b"bdfghjklmnprstvz";
const VOWELS: &[u8; 4] = b"aiou";

/// A pronounceable name such as `lusab-babad-gutih-tugad-…`. It carries 128 bits, so that nobody finds the room by trying names.
/// It is derived from the idempotency key, if any, so that a repeated request finds the room that the first one created.
pub fn generate_room_name(tokens: &TokenKey, key: Option<&str>, attempt: u64) -> Result<RoomName, Problem> {
    let number = match key {
        Some(key) => tokens.derive(b"room-name", format!("{attempt} {key}").as_bytes()),
        None => random().map_err(|_| Problem::new(Code::Internal, "No random numbers are available."))?,
    };
    RoomName::parse(&pronounceable(number))
        .ok_or_else(|| Problem::new(Code::Internal, "The generated room name is invalid."))
}

fn random() -> Result<u128, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(u128::from_be_bytes(bytes))
}

/// Eight words of 16 bits each.
fn pronounceable(number: u128) -> String {
    let letter = |letters: &[u8], at: u32| char::from(letters[(number >> at) as usize % letters.len()]);
    let word = |at: u32| -> String {
        [(12, &CONSONANTS[..]), (10, &VOWELS[..]), (6, &CONSONANTS[..]), (4, &VOWELS[..]), (0, &CONSONANTS[..])]
            .map(|(shift, letters)| letter(letters, at + shift))
            .iter()
            .collect()
    };
    (0..8).rev().map(|index| word(16 * index)).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names had 34 bits, few enough to find rooms by trying.
    #[test]
    fn a_name_has_eight_words_of_16_bits() {
        let words = "lusab-babad-gutih-tugad";
        assert_eq!(pronounceable(0x7f00_0001_3f54_dcc1), format!("babab-babab-babab-babab-{words}"));
        assert_eq!(pronounceable(u128::MAX), ["zuzuz"; 8].join("-"));
        let names: std::collections::HashSet<_> = (0..128).map(|bit| pronounceable(1 << bit)).collect();
        assert_eq!(names.len(), 128);
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
