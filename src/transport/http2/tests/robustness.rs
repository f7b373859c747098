//! Input that is cut anywhere, and input that makes no sense.

use super::client::{
    Client, Handler, continuation, data, field, frame, get, last_data, parse, post, request, reset, settings,
};
use crate::transport::{
    http2::{
        connection::{Event, Input},
        frame_reader::PREFACE,
        frames::{
            DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, PADDED, PING, PRIORITIZED, PRIORITY,
            SETTINGS, WINDOW_UPDATE,
        },
    },
    limits::connection::FramePosition::{self, Between, InData, InHead},
};

/// A connection with some of everything, without errors of the connection.
fn conversation() -> Vec<u8> {
    let half = request("POST", &[("content-length", "9"), ("cookie", "a=b"), ("cookie", "c=d")]);
    let padded = [&[3, 0, 0, 0, 0, 9][..], &request("PUT", &[("x", "y")]), &[0; 3]].concat();
    [
        PREFACE.to_vec(),
        settings(&[(1, 0), (INITIAL_WINDOW_SIZE, 20), (0x99, 7)]),
        frame(SETTINGS, 1, 0, &[]),
        frame(HEADERS, 0, 1, &half[..7]),
        continuation(1, 0, &[]),
        continuation(1, 0, &half[7..30]),
        continuation(1, END_HEADERS, &half[30..]),
        data(1, "one"),
        frame(PRIORITY, 0, 9, &[0; 5]),
        frame(DATA, PADDED, 1, b"\x04two\0\0\0\0"),
        frame(PING, 0, 0, b"01234567"),
        frame(HEADERS, END_HEADERS | PADDED | PRIORITIZED, 3, &padded),
        last_data(1, "end"),
        frame(0x42, 0xff, 77, &[1; 50]),
        frame(DATA, PADDED, 3, &[0]),
        frame(DATA, END_STREAM | PADDED, 3, &[2, b'x', 0, 0]),
        frame(HEADERS, END_HEADERS | END_STREAM, 5, &request("GET", &[("X", "y")])),
        frame(HEADERS, END_HEADERS | END_STREAM, 7, &[request("GET", &[]), b"\x40\x01x\x01y\xbe".to_vec()].concat()),
        post(9),
        data(9, "x"),
        frame(HEADERS, END_HEADERS | END_STREAM, 9, &field("x-trailer", "y")),
        post(11),
        reset(11),
        frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 100]),
        frame(WINDOW_UPDATE, 0, 9, &[0, 0, 0, 100]),
        frame(GOAWAY, 0, 0, &[0; 30]),
        get(13),
    ]
    .concat()
}

/// What a connection makes of input in pieces. Pieces of a body that follow each other are joined.
fn outcome<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<String>, Vec<u8>, bool) {
    let mut client = Client::silent();
    let failed = pieces.into_iter().any(|piece| client.send(piece).is_err());
    let mut events = Vec::new();
    let mut body: Vec<u8> = Vec::new();
    for event in client.take_events() {
        events.push(match event {
            Event::Data { bytes, ended: false, .. } => {
                body.extend_from_slice(&bytes);
                continue;
            }
            Event::Data { stream, bytes, ended: true } => {
                body.extend_from_slice(&bytes);
                format!("{stream} {}", String::from_utf8(std::mem::take(&mut body)).unwrap())
            }
            Event::Request { stream, head, ended } => {
                let fields: Vec<_> =
                    head.fields().map(|(name, value)| (name, value.escape_ascii().to_string())).collect();
                format!("{stream} {} {} {fields:?} {ended}", head.method(), head.path())
            }
            other => format!("{other:?}"),
        });
    }
    (events, client.out, failed)
}

#[test]
fn it_does_not_matter_where_input_is_cut() {
    let whole = conversation();
    let expected = outcome([&whole[..]].into_iter());
    assert!(!expected.2);
    assert_eq!(expected.0.len(), 10, "{:#?}", expected.0);
    assert!(expected.0.contains(&"1 onetwoend".to_owned()));
    for at in 1..whole.len() {
        assert_eq!(outcome([&whole[..at], &whole[at..]].into_iter()), expected, "{at}");
    }
    for length in 1..50 {
        assert_eq!(outcome(whole.chunks(length)), expected, "{length}");
    }
}

/// Mutations of a conversation: no panic, valid frames only, and at the end of a failed one GOAWAY.
#[test]
fn mutated_input_does_no_harm() {
    let mut random = fastrand::Rng::with_seed(11);
    let whole = conversation();
    let (mut failed, mut served) = (0, 0);
    for _ in 0..20_000 {
        let mut bytes = whole.clone();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(PREFACE.len()..bytes.len());
            match random.u8(..3) {
                0 => bytes[at] = random.u8(..),
                1 => bytes[at] ^= 1 << random.u8(..8),
                _ => drop(bytes.drain(at..(at + random.usize(..20)).min(bytes.len()))),
            }
        }
        let (mut client, mut handler) = (Client::silent(), Handler::default());
        let length = random.usize(1..bytes.len());
        for piece in bytes.chunks(length) {
            if client.send(piece).is_err() {
                failed += 1;
                break;
            }
            handler.run(&mut client);
        }
        let frames = parse(&client.out);
        served += frames.iter().filter(|(header, _)| header.kind == HEADERS).count();
    }
    assert!(failed > 5_000 && served > 10_000, "{failed} {served}");
}

#[test]
fn random_input_does_no_harm() {
    let mut random = fastrand::Rng::with_seed(12);
    for _ in 0..5_000 {
        let mut client = Client::connected(&[]);
        // Frames with headers that make sense more often than not.
        for _ in 0..random.usize(..20) {
            let payload: Vec<u8> = (0..random.usize(..30)).map(|_| random.u8(..)).collect();
            let kind = if random.bool() { [DATA, HEADERS][random.usize(..2)] } else { random.u8(..11) };
            let bytes = frame(kind, random.u8(..) & 0x2d, random.u32(..12), &payload);
            if client.send(&bytes).is_err() {
                break;
            }
        }
        assert!(client.connection.open_streams() <= 6);
        parse(&client.out);
    }
}

/// Ported from the guard that used to follow the frames of h2.
#[test]
fn the_position_after_each_input_is_known() {
    let mut client = Client::silent();
    let mut after = |bytes: &[u8]| {
        let input = Input { bytes, wire_len: 0, earned: 0, now: 0 };
        client.connection.receive(input, &mut client.out, &mut client.events).unwrap();
        (client.connection.position(), client.connection.has_completed())
    };
    let first = [&PREFACE[..], &settings(&[])].concat();
    let ping = frame(PING, 0, 0, &[0; 8]);
    let body = data(1, "012345678");
    let half = request("POST", &[]);
    let steps: [(&[u8], (FramePosition, bool)); 15] = [
        (&first[..23], (InHead, false)),
        (&first[23..24], (Between, true)),
        (&first[24..29], (InHead, false)),
        (&first[29..], (Between, true)),
        (&ping[..1], (InHead, false)),
        (&ping[1..12], (InHead, false)),
        (&ping[12..], (Between, true)),
        (&frame(HEADERS, 0, 1, &half[..9]), (InHead, false)),
        (&continuation(1, 0, &[]), (InHead, false)),
        (&continuation(1, END_HEADERS, &half[9..]), (Between, true)),
        (&body[..9], (InData, false)),
        (&body[9..12], (InData, false)),
        (&[&body[12..], &[0]].concat(), (InHead, true)),
        (&[], (InHead, false)),
        (&[&data(1, "")[1..], &frame(DATA, PADDED, 1, &[1, 2, 3])[..9]].concat(), (InData, true)),
    ];
    for (number, (bytes, expected)) in steps.into_iter().enumerate() {
        assert_eq!(after(bytes), expected, "{number}");
    }
}
