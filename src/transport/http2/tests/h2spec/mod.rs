//! The cases of h2spec 2.6 (github.com/summerwind/h2spec), in its order and with its names.
//!
//! h2spec also accepts a closed connection wherever it expects an error; here the error is named. It tests RFC 7540. What RFC
//! 9113 or this server wants otherwise is in [`http2::deliberately_different`].

mod generic;
mod http2;

use super::client::{
    BODY, Client, Handler, continuation, data, field, fields, frame, get, last_data, parse, post, request, reset,
    settings,
};
use crate::transport::http2::{
    frame_reader::PREFACE,
    frames::{
        ACK, DATA, END_HEADERS, END_STREAM,
        ErrorCode::{self, Compression, FlowControl, FrameSize, Protocol, RefusedStream, StreamClosed},
        FrameHeader, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, PADDED, PING, PRIORITIZED, PRIORITY, PUSH_PROMISE,
        RST_STREAM, SETTINGS, WINDOW_UPDATE,
    },
};

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// A PING afterwards is answered, and nothing was reset.
    Alive,
    /// The request on stream 1 is answered, too.
    Answered,
    /// A stream error.
    Reset(ErrorCode),
    /// A connection error.
    GoAway(ErrorCode),
}

use Outcome::{Alive, Answered, GoAway, Reset};

/// What is sent, step by step; a handler answers after each.
type Case = (&'static str, Vec<Vec<u8>>, Outcome);

const PRIORITY_256: [u8; 5] = [0, 0, 0, 0, 255];
const PROBE: &[u8; 8] = b"h2spec\0\0";

fn outcome(steps: &[Vec<u8>]) -> Outcome {
    let (mut client, mut handler) = (Client::connected(&[]), Handler::default());
    let probe = frame(PING, 0, 0, PROBE);
    for step in steps.iter().chain([&probe]) {
        if let Err(error) = client.send(step) {
            let frames = parse(&client.out);
            let (header, payload) = frames.last().unwrap();
            assert_eq!((header.kind, &payload[4..]), (GOAWAY, &(error.code as u32).to_be_bytes()[..]));
            return GoAway(error.code);
        }
        handler.run(&mut client);
    }
    let frames = parse(&client.out);
    assert!(frames.iter().any(|(header, payload)| (header.kind, header.flags) == (PING, ACK) && payload == PROBE));
    let codes = [ErrorCode::NoError, Protocol, FlowControl, StreamClosed, FrameSize, RefusedStream, Compression];
    if let Some((_, code)) = frames.iter().find(|(header, _)| header.kind == RST_STREAM) {
        return Reset(*codes.iter().find(|known| (**known as u32).to_be_bytes()[..] == code[..]).unwrap());
    }
    let answered = |(header, _): &(FrameHeader, Vec<u8>)| header.kind == HEADERS && header.stream == 1;
    if frames.iter().any(answered) { Answered } else { Alive }
}

fn check(cases: Vec<Case>) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(name, steps, expected)| {
            let actual = outcome(steps);
            (actual != *expected).then(|| format!("{name}: {expected:?} expected, {actual:?} came"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn ping() -> Vec<u8> {
    frame(PING, 0, 0, &[0; 8])
}

fn headers(flags: u8, stream: u32, block: &[u8]) -> Vec<u8> {
    frame(HEADERS, flags, stream, block)
}

fn get_with(more: &[u8]) -> Vec<u8> {
    headers(END_HEADERS | END_STREAM, 1, &[&request("GET", &[]), more].concat())
}

fn get_and(fields: &[(&str, &str)]) -> Vec<u8> {
    headers(END_HEADERS | END_STREAM, 1, &request("GET", fields))
}

fn window_update(stream: u32, increment: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &increment.to_be_bytes())
}

fn priority(stream: u32) -> Vec<u8> {
    frame(PRIORITY, 0, stream, &PRIORITY_256)
}

fn no_window() -> Vec<u8> {
    settings(&[(INITIAL_WINDOW_SIZE, 0)])
}

fn length_error() -> Vec<u8> {
    [headers(END_HEADERS, 1, &request("POST", &[("content-length", "1")])), data(1, "test")].concat()
}
