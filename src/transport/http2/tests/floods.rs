//! Frames that serve no request end the connection, and cost little until then; frames that serve one never end it.

use super::client::{Client, continuation, frame, get, last_data, parse, post, request, reset, settings};
use crate::transport::http2::{
    connection::{Event, Input},
    frame_budget::{RESPONSE, read_by_handler},
    frames::{
        ACK, DATA, END_HEADERS, END_STREAM, ErrorCode, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, PADDED, PING, PRIORITY,
        SETTINGS, WINDOW_UPDATE,
    },
};

const FLOOD: u32 = 20_000;

type Kind = (&'static str, Box<dyn Fn(u32) -> Vec<u8>>);

/// As `tests/it/transport/http2_frames.rs` of the project has them, beside a waiting poll on stream 1 and a body on stream 3.
fn kinds() -> Vec<Kind> {
    let fixed = |bytes: Vec<u8>| -> Box<dyn Fn(u32) -> Vec<u8>> { Box::new(move |_| bytes.clone()) };
    let stream = |number: u32| 2 * number + 5;
    vec![
        ("empty DATA", fixed(frame(DATA, 0, 3, &[]))),
        ("padding", fixed(frame(DATA, PADDED, 3, &[0]))),
        ("DATA on a closed stream", fixed(frame(DATA, 0, 5, b"x"))),
        ("PING", fixed(frame(PING, 0, 0, &[0; 8]))),
        ("PING that acknowledges none", fixed(frame(PING, ACK, 0, &[0; 8]))),
        ("SETTINGS", fixed(settings(&[(INITIAL_WINDOW_SIZE, 65_535)]))),
        ("SETTINGS that acknowledges none", fixed(frame(SETTINGS, ACK, 0, &[]))),
        ("a window opened byte by byte", fixed(frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]))),
        ("a stream's window opened byte by byte", fixed(frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1]))),
        ("a closed stream's window", fixed(frame(WINDOW_UPDATE, 0, 5, &[0, 0, 0, 0]))),
        ("PRIORITY", Box::new(move |number| frame(PRIORITY, 0, stream(number), &[0, 0, 0, 1, 16]))),
        ("an unknown kind", fixed(frame(0x42, 0, 0, &[]))),
        ("an unknown kind, long", fixed(frame(0x42, 0, 0, &[0; 1000]))),
        ("GOAWAY", fixed(frame(GOAWAY, 0, 0, &[0; 8]))),
        (
            "CONTINUATION",
            Box::new(move |number| match number {
                0 => frame(HEADERS, END_STREAM, 7, &request("GET", &[])[..20]),
                _ => continuation(7, 0, &[]),
            }),
        ),
        ("empty HEADERS", Box::new(move |number| frame(HEADERS, END_HEADERS | END_STREAM, stream(number) + 2, &[]))),
        (
            "requests reset at once",
            Box::new(move |number| [get(stream(number) + 2), reset(stream(number) + 2)].concat()),
        ),
        // CVE-2025-8671.
        (
            "requests that the server must reset",
            Box::new(move |number| {
                let stream = stream(number) + 2;
                [get(stream), frame(WINDOW_UPDATE, 0, stream, &[0; 4])].concat()
            }),
        ),
        ("RST_STREAM", fixed(reset(3))),
        ("refused requests", Box::new(move |number| get(stream(number) + 2))),
    ]
}

/// A connection with a poll, a body, and a closed stream.
fn busy() -> Client {
    let mut client = Client::connected(&[]);
    client.send(&[get(1), post(3), post(5)].concat()).unwrap();
    client.connection.reset(5, ErrorCode::Cancel, &mut client.out);
    client
}

#[test]
fn frames_that_carry_nothing_end_the_connection() {
    for (name, next) in kinds() {
        let mut client = busy();
        let flood: Vec<u8> = (0..FLOOD).flat_map(&next).collect();
        // All at once, and in pieces as they come from a socket.
        for length in [flood.len(), 16_384] {
            client = busy();
            let (mut error, mut taken, mut requests) = (None, 0, 0);
            for piece in flood.chunks(length) {
                error = client.send(piece).err();
                taken += piece.len();
                let events = client.take_events();
                requests += events.iter().filter(|event| matches!(event, Event::Request { .. })).count();
                if error.is_some() {
                    break;
                }
            }
            assert_eq!(error.map(|error| error.code), Some(ErrorCode::EnhanceYourCalm), "{name}");
            assert!(requests < 500, "{name}: {requests} requests");
            assert!(length == flood.len() || taken < flood.len() * 3 / 4, "{name}: {taken}");
        }
        let frames = parse(&client.out);
        let (last, payload) = frames.last().unwrap();
        assert_eq!((last.kind, payload[7]), (GOAWAY, ErrorCode::EnhanceYourCalm as u8), "{name}");
        assert!(client.out.len() < 140_000, "{name}: {} bytes to be sent", client.out.len());
    }
}

/// A slow client is never cut off: its allowance grows.
#[test]
fn slow_frames_never_end_the_connection() {
    let mut client = busy();
    for _ in 0..10_000 {
        client.now += 100;
        client.ask(&[frame(PING, 0, 0, &[0; 8]), settings(&[]), frame(DATA, 0, 3, &[])].concat());
    }
}

/// A handler earns by the piece, and how large pieces are is up to the client. So pieces that are read pay for nothing else.
#[test]
fn cutting_frames_into_pieces_does_not_pay() {
    let (mut client, mut earned) = (busy(), 0);
    let body = frame(DATA, 0, 3, &[b'x'; 1_600]);
    let pings = frame(PING, 0, 0, &[0; 8]).repeat(20);
    for _ in 0..1_000 {
        for piece in body.chunks(16).chain([&pings[..]]) {
            let input = Input { bytes: piece, wire_len: piece.len(), earned: std::mem::take(&mut earned), now: 0 };
            if let Err(error) = client.connection.receive(input, &mut client.out, &mut client.events) {
                assert_eq!(error.code, ErrorCode::EnhanceYourCalm);
                return;
            }
            for event in client.take_events() {
                if let Event::Data { stream, bytes, .. } = event {
                    client.connection.release(stream, bytes.len() as u32, &mut client.out);
                    earned += read_by_handler(bytes.len());
                }
            }
        }
    }
    panic!("the connection stays open");
}

/// Requests that are answered pay for their frames, and bodies that are read for theirs.
#[test]
fn useful_frames_never_end_the_connection() {
    let (mut client, mut earned) = (Client::connected(&[]), 0);
    for number in 0..20_000 {
        let stream = 2 * number + 1;
        let update = frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 100]);
        let body = frame(DATA, 0, stream, &[b'x'; 16]).repeat(6);
        let bytes = [post(stream), body, last_data(stream, ""), update.repeat(2)].concat();
        let input = Input { bytes: &bytes, wire_len: bytes.len(), earned: std::mem::take(&mut earned), now: 0 };
        client.connection.receive(input, &mut client.out, &mut client.events).unwrap();
        for event in client.take_events() {
            if let Event::Data { stream, bytes, .. } = event {
                client.connection.release(stream, bytes.len() as u32, &mut client.out);
                earned += read_by_handler(bytes.len());
            }
        }
        earned += RESPONSE;
        client.connection.send_head(stream, 204, [], true, &mut client.out);
        client.out.clear();
    }
}
