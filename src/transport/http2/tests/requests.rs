//! Which requests are passed on, and as what.

use super::client::{Client, continuation, data, field, fields, frame, get, last_data, parse, post, request};
use crate::transport::{
    http2::{
        connection::Event,
        frames::{END_HEADERS, END_STREAM, ErrorCode, HEADERS, RST_STREAM},
        head::Head,
    },
    limits::HEADER_FIELDS_MAX,
};

const COMMON: [(&str, &str); 4] =
    [(":method", "GET"), (":scheme", "https"), (":path", "/a?b"), (":authority", "h.example")];

fn headers(stream: u32, block: &[u8]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, block)
}

/// The head that a list of fields leads to; nothing if the stream is reset as malformed.
fn head_of(list: &[(&str, &str)]) -> Option<Head> {
    let mut client = Client::connected(&[]);
    let answer = client.ask(&headers(1, &fields(list)));
    match client.take_events().pop() {
        Some(Event::Request { head, .. }) => {
            assert!(answer.is_empty());
            Some(head)
        }
        None => {
            assert_eq!(
                (answer[0].0.kind, &answer[0].1[..]),
                (RST_STREAM, &(ErrorCode::Protocol as u32).to_be_bytes()[..])
            );
            assert_eq!(answer.len(), 1);
            None
        }
        other => panic!("{other:?}"),
    }
}

fn with(more: &[(&str, &str)]) -> Option<Head> {
    head_of(&[&COMMON[..], more].concat())
}

/// The usual head with another value of a pseudo-header field.
fn replaced(name: &str, value: &str) -> Option<Head> {
    head_of(&COMMON.map(|(known, old)| if known == name { (known, value) } else { (known, old) }))
}

#[test]
fn a_head_has_all_that_was_sent() {
    let head =
        with(&[("accept", "*/*"), ("x-empty", ""), ("accept", "text/plain; q=\t\u{fc}"), ("te", "trailers")]).unwrap();
    assert_eq!((head.method(), head.scheme(), head.path()), ("GET", "https", "/a?b"));
    assert_eq!((head.authority(), head.content_length()), (Some("h.example"), None));
    let fields: Vec<_> = head.fields().collect();
    let text = "text/plain; q=\t\u{fc}".as_bytes();
    assert_eq!(fields, [("accept", &b"*/*"[..]), ("x-empty", b""), ("accept", text), ("te", b"trailers")]);
    assert_eq!((head.field("x-empty"), head.field("x-none")), (Some(&b""[..]), None));
    assert!(!head.is_too_large());
    assert_eq!(format!("{head:?}"), "Head(GET)");
}

#[test]
fn pseudo_header_fields_are_validated() {
    for (name, value) in [
        (":method", "PATCH"),
        (":method", "M-SEARCH"),
        (":scheme", "http"),
        (":path", "/te%61/\u{e9}?x={\"}"),
        (":authority", "[::1]:8443"),
    ] {
        assert!(replaced(name, value).is_some(), "{name}: {value}");
    }
    for (name, value) in [
        (":method", ""),
        (":method", "G T"),
        (":method", "CONNECT"),
        (":scheme", ""),
        (":scheme", "ht:tp"),
        (":scheme", "1ttp"),
        (":scheme", "http!"),
        (":path", ""),
        (":path", "*"),
        (":path", "a"),
        (":path", "https://h.example/"),
        (":path", "/a b"),
        (":path", "/a\u{7f}"),
        (":path", "/a#b"),
        (":path", "/a\r\nb: c"),
        (":authority", ""),
        (":authority", "user@h.example"),
        (":authority", "h.example/a"),
        (":authority", "h example"),
        (":protocol", "websocket"),
    ] {
        assert!(replaced(name, value).is_none() || name == ":protocol", "{name}: {value}");
    }
    assert!(with(&[(":protocol", "websocket")]).is_none());
    assert!(with(&[(":authority", "h.example")]).is_none());
    let connect = [(":method", "CONNECT"), (":authority", "h.example:443")];
    assert!(head_of(&connect).is_none());
    let options = |path| head_of(&[(":method", "OPTIONS"), (":scheme", "https"), (":path", path)]);
    assert_eq!(options("*").unwrap().path(), "*");
    assert_eq!(options("/").unwrap().authority(), None);
    assert!(options("x").is_none());
    // Not UTF-8.
    let mut client = Client::connected(&[]);
    let path = [&fields(&COMMON[..2])[..], b"\x04\x03/\xff\xfe"].concat();
    assert_eq!(client.ask(&headers(1, &path))[0].0.kind, RST_STREAM);
}

#[test]
fn fields_are_validated() {
    for (name, value) in [
        ("", "x"),
        ("x y", "x"),
        ("x:", "x"),
        ("x\u{e9}", "x"),
        ("X", "x"),
        ("x(", "x"),
        ("x", "a\r\nb"),
        ("x", "a\nb"),
        ("x", "a\rb"),
        ("x", "a\0b"),
        ("x", "a\u{1}b"),
        ("x", "a\u{7f}"),
        ("x", " a"),
        ("x", "a "),
        ("x", "\ta"),
        ("x", " "),
        ("connection", "close"),
        ("keep-alive", "5"),
        ("proxy-connection", "close"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "websocket"),
        ("te", "gzip"),
        ("te", "Trailers"),
        ("te", ""),
        ("content-length", ""),
        ("content-length", "+1"),
        ("content-length", "1, 1"),
        ("content-length", "-1"),
        ("content-length", "18446744073709551616"),
        // There is no body.
        ("content-length", "1"),
        ("host", ""),
        ("host", "h.example/x"),
    ] {
        assert!(with(&[(name, value)]).is_none(), "{name}: {value:?}");
    }
    assert_eq!(with(&[("content-length", "0")]).unwrap().content_length(), Some(0));
    assert!(with(&[("content-length", "0"), ("content-length", "0")]).is_none());
    assert!(with(&[("x!#$%&'*+-.^_`|~09az", "a \t b")]).is_some());
}

#[test]
fn host_and_authority_agree() {
    for host in ["h.example", "H.EXAMPLE", "h.example:443"] {
        assert_eq!(with(&[("host", host)]).unwrap().authority(), Some("h.example"), "{host}");
    }
    for host in ["other.example", "h.example:80", "h.example:8443", "h.example."] {
        assert!(with(&[("host", host)]).is_none(), "{host}");
    }
    assert!(with(&[("host", "h.example"), ("host", "other.example")]).is_none());
    let without = |more: &[(&str, &str)]| head_of(&[&COMMON[..3], more].concat());
    assert_eq!(without(&[("x", "y"), ("host", "o.example")]).unwrap().authority(), Some("o.example"));
    assert_eq!(without(&[("host", "o.example"), ("host", "O.example:443")]).unwrap().authority(), Some("o.example"));
    assert!(without(&[("host", "o.example"), ("host", "h.example")]).is_none());
    let http = [
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/"),
        (":authority", "h.example:80"),
        ("host", "h.example"),
    ];
    assert!(head_of(&http).is_some());
}

#[test]
fn cookies_are_joined() {
    let head = with(&[("cookie", "a=b"), ("x", "y"), ("cookie", "c=d"), ("z", ""), ("cookie", "e=f")]).unwrap();
    let fields: Vec<_> = head.fields().collect();
    assert_eq!(fields, [("x", &b"y"[..]), ("z", b""), ("cookie", b"a=b; c=d; e=f")]);
    let one = with(&[("cookie", "a=b"), ("x", "y")]).unwrap();
    assert_eq!(one.fields().collect::<Vec<_>>(), [("cookie", &b"a=b"[..]), ("x", b"y")]);
}

/// What is too large is passed on without fields, so that it can be answered; and the next request can refer to the table.
#[test]
fn too_large_heads_are_marked() {
    let names: Vec<String> = (0..=HEADER_FIELDS_MAX).map(|number| format!("x{number}")).collect();
    let list: Vec<_> = names.iter().map(|name| (&name[..], "y")).collect();
    assert_eq!(with(&list[..HEADER_FIELDS_MAX]).unwrap().fields().count(), HEADER_FIELDS_MAX);
    let head = with(&list).unwrap();
    assert!(head.is_too_large());
    assert_eq!((head.method(), head.path(), head.authority()), ("GET", "/a?b", Some("h.example")));
    assert_eq!((head.fields().count(), head.content_length()), (0, None));
    assert!(head.text_len() < 30);

    // Regression: a browser's one cookie was many fields.
    let crumbs = [&[("cookie", "a=b")].repeat(150)[..], &list[..HEADER_FIELDS_MAX - 1]].concat();
    assert_eq!(with(&crumbs).unwrap().fields().count(), HEADER_FIELDS_MAX);
    assert!(with(&[&[("cookie", "a=b")], &list[..HEADER_FIELDS_MAX]].concat()).unwrap().is_too_large());

    let used: usize = COMMON.iter().map(|(name, value)| name.len() + value.len() + 32).sum();
    let fits = "x".repeat(16 * 1024 - used - 32 - 1);
    assert!(!with(&[("x", &fits)]).unwrap().is_too_large());
    assert!(with(&[("x", &format!("{fits}y"))]).unwrap().is_too_large());

    // A table entry of 4 KB, a thousand times (HPACK bomb), then a field that is added to the table, and both once more.
    let big = [&b"\x40\x01x\x7f\xa1\x1e"[..], &[b'x'; 4000]].concat();
    let bomb = [&fields(&COMMON)[..], &big, &[0xbe; 1000], b"\x40\x01y\x01z"].concat();
    let mut client = Client::connected(&[]);
    assert!(client.ask(&headers(1, &bomb)).is_empty());
    assert!(client.ask(&headers(3, &[&fields(&COMMON)[..], b"\xbe\xbf"].concat())).is_empty());
    let events = client.take_events();
    let [Event::Request { head: bomb, .. }, Event::Request { head, .. }] = &events[..] else { panic!("{events:?}") };
    assert!(bomb.is_too_large() && bomb.text_len() < 30);
    assert_eq!(head.fields().map(|(name, value)| (name, value.len())).collect::<Vec<_>>(), [("y", 1), ("x", 4000)]);
}

#[test]
fn malformed_requests_keep_the_table() {
    let mut client = Client::connected(&[]);
    let malformed = [&fields(&COMMON)[..], b"\x40\x01X\x01y\x40\x01x\x01y"].concat();
    assert_eq!(client.ask(&headers(1, &malformed))[0].0.kind, RST_STREAM);
    assert!(client.ask(&headers(3, &[&fields(&COMMON)[..], b"\xbe"].concat())).is_empty());
    let Some(Event::Request { head, .. }) = client.take_events().pop() else { panic!() };
    assert_eq!(head.field("x"), Some(&b"y"[..]));
}

#[test]
fn a_header_block_is_limited_however_it_is_split() {
    let junk = field("x", &"x".repeat(16_000));
    let block = [&fields(&COMMON)[..], &junk].concat();
    let (first, rest) = block.split_at(100);
    let mut client = Client::connected(&[]);
    client.send(&[frame(HEADERS, END_STREAM, 1, first), continuation(1, END_HEADERS, rest)].concat()).unwrap();
    assert!(matches!(&client.events[..], [Event::Request { .. }]));
    let fill = |length: usize| {
        [frame(HEADERS, END_STREAM, 3, first), continuation(3, 0, &vec![0; length - first.len()])].concat()
    };
    client.send(&fill(16_384)).unwrap();
    assert_eq!(client.send(&continuation(3, 0, b"")).unwrap_err().code, ErrorCode::EnhanceYourCalm);
    let mut client = Client::connected(&[]);
    assert_eq!(client.send(&fill(16_385)).unwrap_err().code, ErrorCode::EnhanceYourCalm);
}

#[test]
fn bodies_are_passed_on_as_they_arrive() {
    let mut client = Client::connected(&[]);
    let body = [post(1), data(1, "hello "), data(1, ""), last_data(1, "world")].concat();
    client.send(&body[..body.len() - 2]).unwrap();
    client.send(&body[body.len() - 2..]).unwrap();
    let pieces = client.take_events().into_iter().filter_map(|event| match event {
        Event::Data { bytes, ended, .. } => Some((String::from_utf8(bytes.to_vec()).unwrap(), ended)),
        Event::Request { ended, .. } => {
            assert!(!ended);
            None
        }
        other => panic!("{other:?}"),
    });
    let pieces: Vec<_> = pieces.collect();
    assert_eq!(pieces, [("hello ".into(), false), ("wor".into(), false), ("ld".into(), true)]);
    assert!(client.out.is_empty());
}

/// What ends a body must agree with `content-length`, and nothing of it ends it otherwise.
#[test]
fn content_length_is_checked() {
    let trailer = frame(HEADERS, END_HEADERS | END_STREAM, 1, &field("x", "y"));
    for (name, length, frames, is_valid) in [
        ("exact", "4", vec![last_data(1, "test")], true),
        ("exact, in pieces", "4", vec![data(1, "te"), data(1, "st"), last_data(1, "")], true),
        ("exact, with a trailer", "4", vec![data(1, "test"), trailer.clone()], true),
        ("exact, padded", "4", vec![frame(0, 9, 1, b"\x02test\0\0")], true),
        ("nothing", "0", vec![last_data(1, "")], true),
        ("short", "5", vec![last_data(1, "test")], false),
        ("short, with a trailer", "5", vec![data(1, "test"), trailer], false),
        ("long", "3", vec![data(1, "test")], false),
        ("long at last", "4", vec![data(1, "test"), last_data(1, "x")], false),
        ("two", "4\0", vec![], false),
    ] {
        let mut client = Client::connected(&[]);
        let head = frame(HEADERS, END_HEADERS, 1, &request("POST", &[("content-length", length)]));
        client.send(&[vec![head], frames].concat().concat()).unwrap();
        let ended = client.events.iter().any(|event| matches!(event, Event::Data { ended: true, .. }));
        let was_reset = parse(&client.out).iter().any(|(header, _)| header.kind == RST_STREAM);
        assert_eq!((ended, was_reset), (is_valid, !is_valid), "{name}");
        let requests = client.events.iter().filter(|event| matches!(event, Event::Request { .. })).count();
        let resets = client.events.iter().filter(|event| matches!(event, Event::Reset { .. })).count();
        assert_eq!(resets, if is_valid { 0 } else { requests }, "{name}: its end is known if the request is");
    }
}

/// Frames that come after the client has seen, or not seen, that a stream is closed.
#[test]
fn closed_streams_are_remembered() {
    let mut client = Client::connected(&[]);
    // Streams whose requests are never completed, and which we end.
    for number in 0..200 {
        client.send(&post(2 * number + 1)).unwrap();
        client.connection.reset(2 * number + 1, ErrorCode::Cancel, &mut client.out);
    }
    for stream in [399, 201, 1] {
        client
            .send(&[data(stream, "late"), frame(HEADERS, END_HEADERS | END_STREAM, stream, &field("x", "y"))].concat())
            .unwrap();
    }
    // Those that the client has ended or skipped, it must not use.
    for (frame, code) in [
        (data(401, "x"), ErrorCode::StreamClosed),
        (get(401), ErrorCode::StreamClosed),
        (data(403, "x"), ErrorCode::StreamClosed),
        (get(499), ErrorCode::Protocol),
        (data(501, "x"), ErrorCode::StreamClosed),
    ] {
        let mut client = Client::connected(&[]);
        client.send(&[get(401), get(501)].concat()).unwrap();
        for stream in [401, 501] {
            client.connection.send_head(stream, 204, [], true, &mut client.out);
        }
        assert_eq!(client.send(&frame).unwrap_err().code, code);
    }
}
