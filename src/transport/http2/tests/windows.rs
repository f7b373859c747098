//! Flow control in both directions, and when streams end.

use super::client::{Client, data, frame, get, last_data, parse, post, reset, settings};
use crate::transport::http2::{
    connection::Event,
    frames::{
        CONTINUATION, DATA, END_HEADERS, END_STREAM, ErrorCode, FrameHeader, HEADERS, INITIAL_WINDOW_SIZE, PADDED,
        RST_STREAM, WINDOW_UPDATE,
    },
};

const WINDOW: usize = 65_535;

fn window_update(stream: u32, increment: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &increment.to_be_bytes())
}

fn updates(frames: &[(FrameHeader, Vec<u8>)]) -> Vec<(u32, u32)> {
    let updates = frames.iter().filter(|(header, _)| header.kind == WINDOW_UPDATE);
    updates.map(|(header, payload)| (header.stream, u32::from_be_bytes(payload[..].try_into().unwrap()))).collect()
}

fn release(client: &mut Client, stream: u32, bytes: u32) -> Vec<(u32, u32)> {
    let mut out = Vec::new();
    client.connection.release(stream, bytes, &mut out);
    updates(&parse(&out))
}

/// 10 bytes more than the window, in frames.
fn too_much(stream: u32) -> Vec<u8> {
    [data(stream, &"x".repeat(16_384)).repeat(3), data(stream, &"x".repeat(16_384 + 9))].concat()
}

#[test]
fn a_body_that_is_read_gets_its_window_back() {
    let mut client = Client::connected(&[]);
    client.send(&[post(1), data(1, &"x".repeat(16_384)).repeat(3)].concat()).unwrap();
    assert_eq!(release(&mut client, 1, 32_766), []);
    assert_eq!(release(&mut client, 1, 1), [(1, 32_767), (0, 32_767)]);
    // No more than was received.
    assert_eq!(release(&mut client, 1, u32::MAX), []);
    assert_eq!(release(&mut client, 1, 1), []);
    client.send(&last_data(1, &"x".repeat(16_384))).unwrap();
    // The request is complete, so its stream needs no window.
    assert_eq!(release(&mut client, 1, 16_384), [(0, 32_769)]);
    assert_eq!(release(&mut client, 3, 16_384), []);
    assert_eq!(release(&mut client, 1, 16_384), []);
}

#[test]
fn more_than_the_window_is_an_error() {
    let full = data(1, &"x".repeat(16_383)).repeat(4);
    let mut client = Client::connected(&[]);
    client.send(&[post(1), post(3), full.clone(), data(1, "xxx")].concat()).unwrap();
    assert_eq!(client.send(&data(3, "x")).unwrap_err().code, ErrorCode::FlowControl, "the connection");
    // Two streams, of which one has been read: the connection has room, the other stream does not.
    let mut client = Client::connected(&[]);
    client.send(&[post(1), post(3), data(3, &"x".repeat(16_384)).repeat(2)].concat()).unwrap();
    assert_eq!(release(&mut client, 3, 32_768), [(3, 32_768), (0, 32_768)]);
    client.send(&[full, data(1, "xxx")].concat()).unwrap();
    client.connection.reset(3, ErrorCode::Cancel, &mut client.out);
    client.take_events();
    assert_eq!(client.send(&data(1, "x")).unwrap_err().code, ErrorCode::FlowControl);
    assert!(too_much(1).len() > WINDOW);
}

#[test]
fn a_stream_that_exceeds_its_window_is_reset() {
    let mut client = Client::connected(&[]);
    client.send(&[post(1), post(3)].concat()).unwrap();
    // What is padding is given back to the connection, and to the stream only in halves of the window.
    for _ in 0..2 {
        client.send(&data(3, &"x".repeat(16_384))).unwrap();
    }
    assert_eq!(release(&mut client, 3, 32_766), []);
    client.send(&data(3, &"x".repeat(16_383)).repeat(2)).unwrap();
    // 65,534 of 65,535 are used on the stream and on the connection; another stream makes the connection get some back.
    client.send(&[frame(DATA, PADDED, 1, &[0])].concat()).unwrap();
    let answer = parse(&std::mem::take(&mut client.out));
    assert_eq!(updates(&answer), [(0, 32_767)], "one byte of padding");
    let answer = client.ask(&data(3, "xx"));
    let [(header, code), _] = &answer[..] else { panic!("{answer:?}") };
    assert_eq!((header.kind, header.stream, code[3]), (RST_STREAM, 3, ErrorCode::FlowControl as u8));
    assert!(matches!(client.take_events()[..], [.., Event::Reset { stream: 3 }]));
    assert_eq!(client.connection.open_streams(), 1);
}

/// Bytes that nobody will read are given back to the connection, or it would come to a stop.
#[test]
fn what_nobody_reads_is_given_back() {
    let body = |stream: u32| data(stream, &"x".repeat(10_000)).repeat(6);
    type End = fn(&mut Client);
    let ends: [(&str, End); 6] = [
        ("read", |client| client.connection.release(1, 60_000, &mut client.out)),
        ("reset by us", |client| client.connection.reset(1, ErrorCode::Cancel, &mut client.out)),
        ("reset by the client", |client| client.send(&reset(1)).unwrap()),
        ("answered early", |client| client.connection.send_head(1, 200, [], true, &mut client.out)),
        ("malformed", |client| client.send(&frame(HEADERS, END_HEADERS, 1, &[])).unwrap()),
        ("answered", |client| {
            client.send(&last_data(1, "")).unwrap();
            client.connection.send_head(1, 200, [], true, &mut client.out);
        }),
    ];
    for (name, end) in ends {
        let mut client = Client::connected(&[]);
        client.send(&[post(1), body(1)].concat()).unwrap();
        end(&mut client);
        let given: u32 =
            updates(&parse(&client.out)).iter().filter(|(stream, _)| *stream == 0).map(|(_, bytes)| bytes).sum();
        assert_eq!(given, 60_000, "{name}");
    }
    // In the middle of a frame, too.
    let mut client = Client::connected(&[]);
    let body = [post(1), data(1, &"x".repeat(16_384)).repeat(2)].concat();
    client.send(&body[..body.len() - 10_000]).unwrap();
    client.connection.reset(1, ErrorCode::Cancel, &mut client.out);
    client.take_events();
    let given = updates(&parse(&std::mem::take(&mut client.out)));
    assert_eq!(given, [(0, 32_768)]);
    assert!(client.ask(&body[body.len() - 10_000..]).is_empty());
    assert!(client.take_events().is_empty());
}

/// Also on streams that are refused, for as long as the client likes.
#[test]
fn bodies_of_refused_requests_never_fill_the_window() {
    let mut client = Client::connected(&[]);
    client.now = 1 << 40;
    let requests: Vec<u8> = (0..100).flat_map(|number| post(2 * number + 1)).collect();
    client.send(&requests).unwrap();
    let mut window = 65_535_u32;
    for number in 100..200 {
        client.now += 60_000;
        let stream = 2 * number + 1;
        let answer = client.ask(&[post(stream), last_data(stream, &"x".repeat(10_000))].concat());
        assert!(
            answer.iter().any(|(header, code)| header.kind == RST_STREAM && code[3] == ErrorCode::RefusedStream as u8)
        );
        window = window - 10_000 + updates(&answer).iter().map(|(_, bytes)| bytes).sum::<u32>();
    }
    assert_eq!(client.connection.open_streams(), 100);
}

#[test]
fn responses_obey_the_windows() {
    let body: Vec<u8> = (0..200_000_u32).map(|number| number as u8).collect();
    let mut client = Client::connected(&[(INITIAL_WINDOW_SIZE, 40_000)]);
    client.send(&get(1)).unwrap();
    client.connection.send_head(1, 200, [("content-type", &b"text/plain"[..])], false, &mut client.out);
    let mut taken = client.connection.send_data(1, &body, true, &mut client.out);
    assert_eq!(taken, 40_000);
    client.take_events();
    // Neither window alone is enough.
    client.send(&window_update(1, 100_000)).unwrap();
    assert!(matches!(client.take_events()[..], [Event::WindowOpened]));
    let sent = client.connection.send_data(1, &body[taken..], true, &mut client.out);
    assert_eq!(sent, WINDOW - 40_000);
    taken += sent;
    client.send(&window_update(0, 1_000_000)).unwrap();
    assert!(matches!(client.take_events()[..], [Event::WindowOpened]));
    taken += client.connection.send_data(1, &body[taken..], true, &mut client.out);
    assert_eq!(taken, 140_000);
    client.send(&settings(&[(INITIAL_WINDOW_SIZE, 100_000)])).unwrap();
    assert!(matches!(client.take_events()[..], [Event::WindowOpened]));
    taken += client.connection.send_data(1, &body[taken..], true, &mut client.out);
    assert_eq!((taken, client.connection.open_streams()), (200_000, 0));
    // Nobody waits any more.
    client.send(&window_update(0, 1)).unwrap();
    assert!(client.take_events().is_empty());
    let frames = parse(&client.out);
    let received: Vec<u8> =
        frames.iter().filter(|(header, _)| header.kind == DATA).flat_map(|(_, data)| data.clone()).collect();
    assert_eq!(received, body);
    assert!(frames.iter().all(|(header, _)| header.length <= 16_384));
    let ends = frames.iter().filter(|(header, _)| header.kind == DATA && header.has(END_STREAM)).count();
    assert_eq!((ends, frames.last().unwrap().0.has(END_STREAM)), (1, true));
}

#[test]
fn a_response_may_end_without_a_window() {
    let mut client = Client::connected(&[(INITIAL_WINDOW_SIZE, 0)]);
    client.send(&[get(1), get(3)].concat()).unwrap();
    client.connection.send_head(1, 204, [], true, &mut client.out);
    client.connection.send_head(3, 200, [], false, &mut client.out);
    assert_eq!(client.connection.send_data(3, b"", false, &mut client.out), 0);
    assert_eq!(client.connection.send_data(3, b"x", true, &mut client.out), 0);
    assert_eq!(client.connection.open_streams(), 1);
    assert_eq!(client.connection.send_data(3, b"", true, &mut client.out), 0);
    assert_eq!(client.connection.open_streams(), 0);
    let kinds: Vec<_> =
        parse(&client.out).iter().map(|(header, _)| (header.kind, header.stream, header.has(END_STREAM))).collect();
    assert_eq!(kinds, [(HEADERS, 1, true), (HEADERS, 3, false), (DATA, 3, true)]);
    // An exchange that has ended takes any output and drops it.
    client.out.clear();
    assert_eq!(client.connection.send_data(3, b"xyz", true, &mut client.out), 3);
    client.connection.send_head(3, 200, [], true, &mut client.out);
    client.connection.reset(3, ErrorCode::Cancel, &mut client.out);
    assert!(client.out.is_empty());
}

/// RFC 9113 section 8.1: the request need not be complete.
#[test]
fn a_request_is_stopped_when_its_response_has_ended() {
    let mut client = Client::connected(&[]);
    client.send(&[post(1), data(1, "x")].concat()).unwrap();
    client.connection.send_head(1, 413, [], false, &mut client.out);
    client.connection.send_data(1, b"too long", true, &mut client.out);
    let frames = parse(&std::mem::take(&mut client.out));
    let kinds: Vec<_> = frames.iter().map(|(header, _)| (header.kind, header.has(END_STREAM))).collect();
    assert_eq!(kinds, [(HEADERS, false), (DATA, true), (RST_STREAM, false)]);
    assert_eq!(frames.last().unwrap().1, [0; 4]);
    client.take_events();
    client.send(&[data(1, "late"), last_data(1, "later")].concat()).unwrap();
    assert!(client.take_events().is_empty() && client.out.is_empty());
}

#[test]
fn a_long_response_head_is_continued() {
    for (length, pieces) in [(16_000, 1), (16_378, 1), (16_379, 2), (32_761, 2), (32_762, 3)] {
        let mut client = Client::connected(&[]);
        client.send(&get(1)).unwrap();
        client.connection.send_head(1, 200, [("location", &vec![b'x'; length][..])], true, &mut client.out);
        let frames = parse(&client.out);
        assert_eq!(frames.len(), pieces, "{length}");
        let block: Vec<u8> = frames.iter().flat_map(|(_, payload)| payload.clone()).collect();
        for (at, (header, _)) in frames.iter().enumerate() {
            assert_eq!(header.kind, if at == 0 { HEADERS } else { CONTINUATION });
            assert_eq!((header.has(END_HEADERS), header.has(END_STREAM)), (at + 1 == pieces, at == 0));
        }
        let mut value_len = 0;
        let mut decoder = crate::transport::http2::hpack::decoder::Decoder::default();
        decoder
            .decode(&block, |name, value| {
                if name == b"location" {
                    value_len = value.len()
                }
            })
            .unwrap();
        assert_eq!(value_len, length);
    }
}

/// nghttp2 treats a block without it as a compression error.
#[test]
fn a_smaller_table_of_the_client_is_acknowledged_once() {
    for (sizes, expected) in [(&[(1, 4096)][..], false), (&[(1, 0)], true), (&[(1, 0), (1, 4096)], true)] {
        let mut client = Client::connected(sizes);
        for (stream, is_first) in [(1, true), (3, false)] {
            client.send(&get(stream)).unwrap();
            client.out.clear();
            client.connection.send_head(stream, 204, [], true, &mut client.out);
            let begins = parse(&client.out)[0].1.starts_with(&[0x20]);
            assert_eq!(begins, expected && is_first, "{sizes:?}, stream {stream}");
        }
    }
}
