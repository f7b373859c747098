use crate::{
    api::{
        auth::token::TokenKey,
        fuzzing::lines,
        handlers::polls::parse_poll,
        idempotency::IdempotencyKey,
        params::{parse_page, parse_peer, parse_room, query_pairs},
        room_name::generate_room_name,
    },
    domain::{Limits, Seq},
};

/// Invalid parts of a request's head are refused.
///
/// The lines are a room, a peer, an `Idempotency-Key`, a `Last-Event-ID` and a query.
pub fn request(input: &[u8]) {
    let [room, peer, key, cursor, query] = lines(input);
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (room, peer, query) = (text(room), text(peer), text(query));

    let fits = room.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte));
    let is_name = fits && (1..=64).contains(&room.len()) && room != "." && room != "..";
    assert_eq!(parse_room(&room).is_ok(), is_name, "{room}");

    let hex =
        |at: usize, byte: u8| if matches!(at, 8 | 13 | 18 | 23) { byte == b'-' } else { byte.is_ascii_hexdigit() };
    let is_id = peer.len() == 36 && peer.bytes().enumerate().all(|(at, byte)| hex(at, byte));
    let parsed = parse_peer(&peer).map(|peer| peer.to_string());
    assert_eq!(parsed, is_id.then(|| peer.to_ascii_lowercase()));

    let fits = (16..=64).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
    let parsed = IdempotencyKey::parse(key);
    assert_eq!(parsed.is_some(), fits);
    if let Some(key) = parsed {
        check_key(&key, &room, &peer);
    }
    check_poll(&query, &text(cursor));
    assert_eq!(parse_page(&peer).is_ok(), (1..=64).contains(&peer.chars().count()));
}

/// Requests have the same fingerprint only if all parts are equal, with the same boundaries.
fn check_key(key: &IdempotencyKey, room: &str, peer: &str) {
    let (one, other) = (room.as_bytes(), peer.as_bytes());
    let whole = key.keyed(&[one, other]);
    assert_eq!(whole, key.keyed(&[one, other]));
    if !other.is_empty() {
        assert_ne!(whole, key.keyed(&[&[one, &other[..1]].concat(), &other[1..]]));
        assert_ne!(whole, key.keyed(&[one]));
    }
    let tokens = TokenKey::from_bytes(b"sixteen letters!");
    let name = |attempt| generate_room_name(&tokens, key.as_deref(), attempt).unwrap();
    assert!(name(0) == name(0) && name(0) != name(1));
}

fn check_poll(query: &str, header: &str) {
    assert!(query_pairs(query).eq(url::form_urlencoded::parse(query.as_bytes())), "{query}");
    let limits = Limits::default();
    let Ok((asked, wait)) = parse_poll(query, Some(header), &limits) else { return };
    assert!(wait <= limits.wait_max);
    let cursor = asked.after.unwrap().get();
    assert!(cursor <= Seq::MAX);
    if !query.contains("after") && !query.contains('%') {
        assert_eq!(header.parse(), Ok(cursor));
    }
    // A cursor means the same in the query as in the header, and the query takes precedence.
    let (again, _) = parse_poll(&format!("after={cursor}"), Some("7"), &limits).ok().unwrap();
    assert_eq!(again.after, asked.after);
}
