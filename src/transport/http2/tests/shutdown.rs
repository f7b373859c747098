//! Graceful shutdown (RFC 9113 section 6.8).

use super::client::{Client, frame, get, parse};
use crate::transport::http2::{
    connection::Event,
    frames::{ACK, ErrorCode, GOAWAY, PING, RST_STREAM},
};

#[test]
fn open_requests_are_answered_and_newer_ones_refused() {
    let mut client = Client::connected(&[]);
    client.send(&get(1)).unwrap();
    client.connection.go_away(&mut client.out);
    let announced = parse(&std::mem::take(&mut client.out));
    let [(announcement, last), (ping, payload)] = &announced[..] else { panic!("{announced:?}") };
    assert_eq!((announcement.kind, &last[..]), (GOAWAY, &[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0][..]));
    assert_eq!((ping.kind, ping.flags), (PING, 0));
    // It may not know yet.
    assert!(client.ask(&get(3)).is_empty());
    assert!(!client.connection.is_finished());
    // Another PING says nothing.
    assert!(client.ask(&frame(PING, ACK, 0, &[0; 8])).is_empty());
    let answer = client.ask(&frame(PING, ACK, 0, payload));
    assert_eq!((answer[0].0.kind, &answer[0].1[..], answer.len()), (GOAWAY, &[0, 0, 0, 3, 0, 0, 0, 0][..], 1));
    assert!(client.ask(&frame(PING, ACK, 0, payload)).is_empty());
    let answer = client.ask(&get(5));
    assert_eq!((answer[0].0.kind, answer[0].1[3]), (RST_STREAM, ErrorCode::RefusedStream as u8));
    assert_eq!(client.take_events().iter().filter(|event| matches!(event, Event::Request { .. })).count(), 2);
    for stream in [1, 3] {
        assert!(!client.connection.is_finished());
        client.connection.send_head(stream, 204, [], true, &mut client.out);
    }
    assert!(client.connection.is_finished());
    // The last stream of GOAWAY never increases.
    client.out.clear();
    client.send(&frame(PING, 0, 1, &[0; 8])).unwrap_err();
    assert_eq!(parse(&client.out)[0].1[..4], [0, 0, 0, 3]);
}

#[test]
fn a_client_that_does_not_answer_need_not_be_waited_for() {
    let mut client = Client::connected(&[]);
    client.connection.go_away(&mut client.out);
    assert!(!client.connection.is_finished());
    client.out.clear();
    client.connection.go_away(&mut client.out);
    assert_eq!(parse(&client.out)[0].0.kind, GOAWAY);
    assert!(client.connection.is_finished());
    client.out.clear();
    client.connection.go_away(&mut client.out);
    assert!(client.out.is_empty());
}
