use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use crate::{
    api::{auth::ticket_keys::TicketKeys, fuzzing::lines},
    clock::Clock,
    domain::RoomName,
};

const SECRET: &str = "kZ3vq9TfWm1x8LrP0aYdBcQe5Ns7Hj2U";
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A ticket is accepted only as it was signed, only for its room and time, and only with the rights that it names.
///
/// The first line of the input is the header, the second the claims; both are signed as they are.
pub fn ticket(input: &[u8]) {
    let keys = TicketKeys::new(&SECRET.to_owned().into(), &[]).unwrap();
    let room = RoomName::parse("tea").unwrap();
    let verify = |ticket: &str| keys.verify(ticket, &room, Clock::start().wall_seconds());
    assert!(verify(&String::from_utf8_lossy(input)).is_err(), "unsigned");

    let [header, claims] = lines(input);
    let ticket = signed(header, claims);
    let Ok(accepted) = verify(&ticket) else { return };

    // Serde skips unknown claims without validating them.
    let (Ok(header), Ok(named)) = (serde_json::from_slice::<Value>(header), serde_json::from_slice::<Value>(claims))
    else {
        return;
    };
    assert!(header["alg"] == "HS256" && header.get("crit").is_none(), "{header}");
    let pattern = named["room"].as_str().unwrap();
    assert!(pattern == "tea" || pattern.strip_suffix('*').is_some_and(|prefix| "tea".starts_with(prefix)), "{named}");
    assert_eq!(accepted.name.as_deref(), named["name"].as_str());
    assert_eq!((accepted.create, accepted.admin), (named["create"] == true, named["admin"] == true));
    let now = Clock::start().wall_seconds() as f64;
    assert!(named["exp"].as_f64().unwrap() > now - 40.0, "{named}");
    assert!(named.get("aud").is_none_or(Value::is_null), "{named}");
    assert!(named.get("nbf").is_none_or(|nbf| nbf.is_null() || nbf.as_f64().unwrap() < now + 40.0), "{named}");

    for forged in forgeries(&ticket, input) {
        assert!(verify(&forged).is_err(), "{forged}");
    }
}

fn signed(header: &[u8], claims: &[u8]) -> String {
    let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// The ticket with one character changed, somewhere or at its end, added or removed.
fn forgeries(ticket: &str, input: &[u8]) -> Vec<String> {
    let somewhere = input.iter().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
    let last = ticket.len() - 1;
    let mut forged = vec![ticket[..last].to_owned(), format!("{ticket}A"), format!("{ticket}="), format!(" {ticket}")];
    for at in [somewhere % ticket.len(), last] {
        for byte in ALPHABET.iter().filter(|byte| **byte != ticket.as_bytes()[at]) {
            let mut bytes = ticket.as_bytes().to_vec();
            bytes[at] = *byte;
            forged.push(String::from_utf8(bytes).unwrap());
        }
    }
    forged
}
