//! The sections `generic` and `hpack`.

use super::*;

#[test]
fn generic_2_and_3_streams_and_frames() {
    let half = request("GET", &[]);
    let padded = |text: &[u8]| [&[5], text, &[0; 5]].concat();
    check(vec![
        ("2/1: PRIORITY on an idle stream", vec![priority(1)], Alive),
        (
            "2/2: WINDOW_UPDATE on a half-closed (remote) stream",
            vec![no_window(), get(1), window_update(1, 1)],
            Answered,
        ),
        (
            "2/3: PRIORITY on a half-closed (remote) stream",
            vec![no_window(), get(1), priority(1), window_update(1, 1)],
            Answered,
        ),
        ("2/4: RST_STREAM on a half-closed (remote) stream", vec![[get(1), reset(1)].concat()], Alive),
        ("2/5: PRIORITY on a closed stream", vec![get(1), priority(1)], Answered),
        ("3.1/1: DATA", vec![post(1), last_data(1, "test")], Answered),
        ("3.1/2: multiple DATA", vec![post(1), data(1, "test"), last_data(1, "test")], Answered),
        ("3.1/3: DATA with padding", vec![post(1), frame(DATA, END_STREAM | PADDED, 1, &padded(b"test"))], Answered),
        ("3.2/1: HEADERS", vec![get(1)], Answered),
        ("3.2/2: HEADERS with padding", vec![headers(END_HEADERS | END_STREAM | PADDED, 1, &padded(&half))], Answered),
        (
            "3.2/3: HEADERS with priority",
            vec![headers(END_HEADERS | END_STREAM | PRIORITIZED, 1, &[&PRIORITY_256[..], &half].concat())],
            Answered,
        ),
        ("3.3/1: PRIORITY with priority 1", vec![frame(PRIORITY, 0, 1, &[0; 5]), get(1)], Answered),
        ("3.3/2: PRIORITY with priority 256", vec![priority(1), get(1)], Answered),
        ("3.3/3: PRIORITY with stream dependency", vec![frame(PRIORITY, 0, 3, &[0, 0, 0, 1, 0]), get(1)], Answered),
        ("3.3/4: PRIORITY with exclusive", vec![frame(PRIORITY, 0, 1, &[0x80, 0, 0, 0, 0]), get(1)], Answered),
        ("3.3/5: PRIORITY for an idle stream, then HEADERS for a lower one", vec![priority(3), get(1)], Answered),
        ("3.4/1: RST_STREAM", vec![[post(1), reset(1)].concat()], Alive),
        ("3.5/1: SETTINGS", vec![settings(&[(1, 4096), (2, 1), (3, 100), (4, 65_535), (5, 16_384), (6, 100)])], Alive),
        ("3.7/1: PING", vec![ping()], Alive),
        ("3.8/1: GOAWAY", vec![frame(GOAWAY, 0, 0, b"\0\0\0\0\0\0\0\0h2spec")], Alive),
        ("3.9/1: WINDOW_UPDATE with stream ID 0", vec![window_update(0, 1)], Alive),
        ("3.9/2: WINDOW_UPDATE with stream ID 1", vec![get(1), window_update(1, 1)], Answered),
        (
            "3.10/1: CONTINUATION",
            vec![headers(END_STREAM, 1, &half[..5]), continuation(1, END_HEADERS, &half[5..])],
            Answered,
        ),
        (
            "3.10/2: multiple CONTINUATION",
            vec![
                headers(END_STREAM, 1, &half[..5]),
                continuation(1, 0, &half[5..10]),
                continuation(1, END_HEADERS, &half[10..]),
            ],
            Answered,
        ),
    ]);
}

#[test]
fn generic_4_http_messages() {
    let trailer = headers(END_HEADERS | END_STREAM, 1, &field("x-test", "ok"));
    check(vec![
        ("4/1: GET", vec![get(1)], Answered),
        ("4/2: HEAD", vec![headers(END_HEADERS | END_STREAM, 1, &request("HEAD", &[]))], Answered),
        ("4/3: POST", vec![post(1), last_data(1, "test")], Answered),
        ("4/4: POST with trailers", vec![post(1), data(1, "test"), trailer], Answered),
    ]);
}

#[test]
fn generic_5_hpack() {
    let with = |bytes: &[u8]| vec![get_with(bytes)];
    let resized = |update: &[u8]| {
        let block = [update, &request("GET", &[])].concat();
        vec![headers(END_HEADERS | END_STREAM, 1, &block)]
    };
    check(vec![
        ("5/1: indexed", with(b"\x90"), Answered),
        ("5/2: incremental, indexed name", with(b"\x7a\x06h2spec"), Answered),
        ("5/3: incremental, indexed name, Huffman", with(b"\x7a\x84\x9c\x48\xac\xa4"), Answered),
        ("5/4: incremental, new name", with(b"\x40\x06x-test\x06h2spec"), Answered),
        ("5/5: incremental, new name, Huffman", with(b"\x40\x85\xf2\xb2\x4a\x84\xff\x84\x9c\x48\xac\xa4"), Answered),
        ("5/6: without indexing, indexed name", with(b"\x0f\x2b\x06h2spec"), Answered),
        ("5/7: without indexing, indexed name, Huffman", with(b"\x0f\x2b\x84\x9c\x48\xac\xa4"), Answered),
        ("5/8: without indexing, new name", with(b"\x00\x06x-test\x06h2spec"), Answered),
        (
            "5/9: without indexing, new name, Huffman",
            with(b"\x00\x85\xf2\xb2\x4a\x84\xff\x84\x9c\x48\xac\xa4"),
            Answered,
        ),
        ("5/10: never indexed, indexed name", with(b"\x1f\x2b\x06h2spec"), Answered),
        ("5/11: never indexed, indexed name, Huffman", with(b"\x1f\x2b\x84\x9c\x48\xac\xa4"), Answered),
        ("5/12: never indexed, new name", with(b"\x10\x06x-test\x06h2spec"), Answered),
        ("5/13: never indexed, new name, Huffman", with(b"\x10\x85\xf2\xb2\x4a\x84\xff\x84\x9c\x48\xac\xa4"), Answered),
        ("5/14: dynamic table size update", resized(b"\x3f\x61"), Answered),
        ("5/15: multiple dynamic table size updates", resized(b"\x3f\x61\x3f\xe1\x1f"), Answered),
    ]);
}

#[test]
fn hpack_errors() {
    let with = |bytes: &[u8]| vec![get_with(bytes)];
    let too_large = headers(END_HEADERS | END_STREAM, 1, &[&b"\x3f\xe2\x1f"[..], &request("GET", &[])].concat());
    check(vec![
        ("2.3.3/1: invalid index", with(b"\xc6"), GoAway(Compression)),
        ("2.3.3/2: invalid index of a name", with(b"\x7f\x07\x00"), GoAway(Compression)),
        ("4.2/1: size update at the end", with(b"\x21"), GoAway(Compression)),
        (
            "5.2/1: padding longer than 7 bits",
            with(b"\x00\x85\xf2\xb2\x4a\x84\xff\x84\x49\x50\x9f\xff"),
            GoAway(Compression),
        ),
        ("5.2/2: padding by zero", with(b"\x00\x85\xf2\xb2\x4a\x84\xff\x83\x49\x50\x90"), GoAway(Compression)),
        ("5.2/3: EOS", with(b"\x00\x85\xf2\xb2\x4a\x84\xff\x87\x49\x51\xff\xff\xff\xfa\x7f"), GoAway(Compression)),
        ("6.1/1: index 0", with(b"\x80"), GoAway(Compression)),
        ("6.3/1: size update larger than the setting", vec![too_large], GoAway(Compression)),
    ]);
}
