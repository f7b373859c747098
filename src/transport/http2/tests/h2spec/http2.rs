//! The section `http2`.

use super::*;

#[test]
fn http2_3_and_4_preface_and_format() {
    let mut client = Client::silent();
    client.send(&[&PREFACE[..], &settings(&[(INITIAL_WINDOW_SIZE, 65_535)])].concat()).unwrap();
    let first = parse(&client.out)[0].0;
    assert_eq!((first.kind, first.flags), (SETTINGS, 0), "generic 1/1 and 3.5/1: the server's preface is first");
    let error = Client::silent().send(b"INVALID CONNECTION PREFACE\r\n\r\n").unwrap_err();
    assert_eq!(error.code, Protocol, "3.5/2: invalid connection preface");

    let long = "x".repeat(16_384);
    let unknown = frame(0x16, 0, 0, &[0; 8]);
    let mut reserved = frame(PING, 0x16, 0, &[0; 8]);
    reserved[5] = 0x80;
    let too_long = fields(&[("x-dummy0", &long)]);
    let open = headers(0, 1, &request("GET", &[]));
    let rest = continuation(1, END_HEADERS, &field("x-dummy0", "x"));
    check(vec![
        ("4.1/1: unknown type", vec![unknown, ping()], Alive),
        ("4.1/2: undefined flag", vec![frame(PING, 0x16, 0, &[0; 8])], Alive),
        ("4.1/3: reserved bit", vec![reserved], Alive),
        ("4.2/1: DATA of 2^14 octets", vec![post(1), last_data(1, &long)], Answered),
        (
            "4.2/2: DATA beyond SETTINGS_MAX_FRAME_SIZE",
            vec![post(1), last_data(1, &format!("{long}x"))],
            GoAway(FrameSize),
        ),
        ("4.2/3: HEADERS beyond SETTINGS_MAX_FRAME_SIZE", vec![get_with(&too_long)], GoAway(FrameSize)),
        ("4.3/1: invalid header block", vec![headers(END_HEADERS | END_STREAM, 1, b"\x40")], GoAway(Compression)),
        ("4.3/2: PRIORITY within a header block", vec![open.clone(), priority(1), rest.clone()], GoAway(Protocol)),
        ("4.3/3: HEADERS of another stream within a header block", vec![open, get(3), rest], GoAway(Protocol)),
    ]);
}

#[test]
fn http2_5_1_stream_states() {
    let more = || continuation(1, END_HEADERS, &field("x-dummy0", "x"));
    let many: Vec<u8> = (0..=100).flat_map(|number| get(2 * number + 1)).collect();
    check(vec![
        ("5.1/1: idle: DATA", vec![last_data(1, "test")], GoAway(Protocol)),
        ("5.1/2: idle: RST_STREAM", vec![reset(1)], GoAway(Protocol)),
        ("5.1/3: idle: WINDOW_UPDATE", vec![window_update(1, 100)], GoAway(Protocol)),
        ("5.1/4: idle: CONTINUATION", vec![more()], GoAway(Protocol)),
        ("5.1/5: half closed (remote): DATA", vec![[get(1), last_data(1, "test")].concat()], Reset(StreamClosed)),
        ("5.1/6: half closed (remote): HEADERS", vec![[get(1), get(1)].concat()], Reset(StreamClosed)),
        ("5.1/7: half closed (remote): CONTINUATION", vec![[get(1), more()].concat()], GoAway(Protocol)),
        (
            "5.1/8: closed: DATA after RST_STREAM",
            vec![[post(1), reset(1), last_data(1, "test")].concat()],
            GoAway(StreamClosed),
        ),
        ("5.1/9: closed: HEADERS after RST_STREAM", vec![[post(1), reset(1), get(1)].concat()], GoAway(StreamClosed)),
        ("5.1/10: closed: CONTINUATION after RST_STREAM", vec![[post(1), reset(1), more()].concat()], GoAway(Protocol)),
        ("5.1/11: closed: DATA", vec![get(1), last_data(1, "test")], GoAway(StreamClosed)),
        ("5.1/12: closed: HEADERS", vec![get(1), get(1)], GoAway(StreamClosed)),
        ("5.1/13: closed: CONTINUATION", vec![get(1), more()], GoAway(Protocol)),
        ("5.1.1/1: even-numbered stream", vec![get(2)], GoAway(Protocol)),
        ("5.1.1/2: numerically smaller stream", vec![get(5), get(3)], GoAway(Protocol)),
        ("5.1.2/1: too many concurrent streams", vec![no_window(), many], Reset(RefusedStream)),
    ]);
}

#[test]
fn http2_5_4_to_6_2_errors_data_and_headers() {
    let unknown = || frame(0x16, 0, 0, &[0; 8]);
    let dummy = || field("x-dummy0", "x");
    let open = |flags: u8| headers(flags, 1, &request("GET", &[]));
    let length = headers(END_HEADERS, 1, &request("POST", &[("content-length", "4")]));
    let padded = [vec![255], request("GET", &[])].concat();
    check(vec![
        ("5.4.1: invalid PING", vec![frame(PING, 0, 3, &[0; 8])], GoAway(Protocol)),
        ("5.5/1: unknown extension frame", vec![unknown()], Alive),
        ("5.5/2: unknown extension frame within a header block", vec![open(END_STREAM), unknown()], GoAway(Protocol)),
        (
            "6.10/1: multiple CONTINUATION",
            vec![open(END_STREAM), continuation(1, 0, &dummy()), continuation(1, END_HEADERS, &dummy())],
            Answered,
        ),
        (
            "6.10/2: another frame after CONTINUATION",
            vec![open(0), continuation(1, 0, &dummy()), last_data(1, "test")],
            GoAway(Protocol),
        ),
        (
            "6.10/3: CONTINUATION with stream ID 0",
            vec![open(END_STREAM), continuation(0, END_HEADERS, &dummy())],
            GoAway(Protocol),
        ),
        (
            "6.10/4: CONTINUATION after HEADERS with END_HEADERS",
            vec![[get(1), continuation(1, END_HEADERS, &dummy())].concat()],
            GoAway(Protocol),
        ),
        (
            "6.10/5: CONTINUATION after CONTINUATION with END_HEADERS",
            vec![open(END_STREAM), continuation(1, END_HEADERS, &dummy()), continuation(1, END_HEADERS, &dummy())],
            GoAway(Protocol),
        ),
        (
            "6.10/6: CONTINUATION after DATA",
            vec![open(0), last_data(1, "test"), continuation(1, 0, &dummy())],
            GoAway(Protocol),
        ),
        ("6.1/1: DATA with stream ID 0", vec![last_data(0, "test")], GoAway(Protocol)),
        (
            "6.1/2: DATA on a stream that is half closed (remote)",
            vec![[get(1), last_data(1, "test")].concat()],
            Reset(StreamClosed),
        ),
        (
            "6.1/3: DATA with invalid pad length",
            vec![length, frame(DATA, END_STREAM | PADDED, 1, b"\x06test")],
            GoAway(Protocol),
        ),
        ("6.2/1: HEADERS without END_HEADERS, and PRIORITY", vec![open(0), priority(1)], GoAway(Protocol)),
        ("6.2/2: HEADERS without END_HEADERS, and HEADERS", vec![open(0), get(3)], GoAway(Protocol)),
        ("6.2/3: HEADERS with stream ID 0", vec![get(0)], GoAway(Protocol)),
        (
            "6.2/4: HEADERS with invalid pad length",
            vec![headers(END_HEADERS | END_STREAM | PADDED, 1, &padded)],
            GoAway(Protocol),
        ),
    ]);
}

#[test]
fn http2_6_3_to_6_8_other_frames() {
    check(vec![
        ("6.3/1: PRIORITY with stream ID 0", vec![priority(0)], GoAway(Protocol)),
        (
            "6.3/2: PRIORITY with a wrong length",
            vec![get(1), frame(PRIORITY, 0, 1, &[128, 0, 0, 1])],
            GoAway(FrameSize),
        ),
        ("6.4/1: RST_STREAM with stream ID 0", vec![reset(0)], GoAway(Protocol)),
        ("6.4/2: RST_STREAM on an idle stream", vec![reset(1)], GoAway(Protocol)),
        ("6.4/3: RST_STREAM with a wrong length", vec![get(1), frame(RST_STREAM, 0, 1, &[0; 3])], GoAway(FrameSize)),
        ("6.5/1: SETTINGS with ACK and payload", vec![frame(SETTINGS, ACK, 0, &[0])], GoAway(FrameSize)),
        ("6.5/2: SETTINGS with a stream ID", vec![frame(SETTINGS, 0, 1, &[0, 3, 0, 0, 0, 100])], GoAway(Protocol)),
        ("6.5/3: SETTINGS with a wrong length", vec![frame(SETTINGS, 0, 0, &[0, 3, 0])], GoAway(FrameSize)),
        ("6.5.2/1: ENABLE_PUSH other than 0 or 1", vec![settings(&[(2, 2)])], GoAway(Protocol)),
        ("6.5.2/2: INITIAL_WINDOW_SIZE above the maximum", vec![settings(&[(4, 1 << 31)])], GoAway(FlowControl)),
        ("6.5.2/3: MAX_FRAME_SIZE below the initial value", vec![settings(&[(5, 16_383)])], GoAway(Protocol)),
        ("6.5.2/4: MAX_FRAME_SIZE above the maximum", vec![settings(&[(5, 1 << 24)])], GoAway(Protocol)),
        ("6.5.2/5: unknown setting", vec![settings(&[(0xff, 1)])], Alive),
        ("6.7/2: PING with ACK", vec![frame(PING, ACK, 0, b"invalid\0")], Alive),
        ("6.7/3: PING with a stream ID", vec![frame(PING, 0, 1, &[0; 8])], GoAway(Protocol)),
        ("6.7/4: PING with a wrong length", vec![frame(PING, 0, 0, &[0; 6])], GoAway(FrameSize)),
        ("6.8/1: GOAWAY with a stream ID", vec![frame(GOAWAY, 0, 1, &[0; 8])], GoAway(Protocol)),
    ]);
    let mut client = Client::connected(&[]);
    let answer = client.ask(&settings(&[(2, 0)]));
    assert_eq!(
        (answer[0].0.kind, answer[0].0.flags, answer.len()),
        (SETTINGS, ACK, 1),
        "6.5.3/2: SETTINGS is acknowledged"
    );
    let answer = client.ask(&[frame(PING, ACK, 0, b"invalid\0"), frame(PING, 0, 0, PROBE)].concat());
    assert_eq!((answer[0].0.flags, &answer[0].1[..], answer.len()), (ACK, &PROBE[..], 1), "6.7/1: PING is answered");
}

#[test]
fn http2_6_9_flow_control() {
    let max = (1 << 31) - 1;
    check(vec![
        ("6.9/1: WINDOW_UPDATE by 0", vec![window_update(0, 0)], GoAway(Protocol)),
        ("6.9/2: WINDOW_UPDATE by 0 on a stream", vec![[get(1), window_update(1, 0)].concat()], Reset(Protocol)),
        ("6.9/3: WINDOW_UPDATE with a wrong length", vec![frame(WINDOW_UPDATE, 0, 0, &[0; 3])], GoAway(FrameSize)),
        ("6.9.1/2: a window above 2^31-1", vec![window_update(0, max), window_update(0, max)], GoAway(FlowControl)),
        (
            "6.9.1/3: a stream's window above 2^31-1",
            vec![[post(1), window_update(1, max)].concat(), window_update(1, max)],
            Reset(FlowControl),
        ),
        ("6.9.2/3: INITIAL_WINDOW_SIZE above the maximum", vec![settings(&[(4, 1 << 31)])], GoAway(FlowControl)),
    ]);
    // The lengths of DATA after each step.
    for (name, steps, expected) in [
        ("6.5.3/1: the last of two INITIAL_WINDOW_SIZE holds", vec![settings(&[(4, 100), (4, 1)]), get(1)], vec![1]),
        ("6.9.1/1: a window of 1", vec![settings(&[(4, 1)]), get(1)], vec![1]),
        ("6.9.2/1: INITIAL_WINDOW_SIZE changes open windows", vec![no_window(), get(1), settings(&[(4, 1)])], vec![1]),
        (
            "6.9.2/2: a window becomes negative",
            vec![settings(&[(4, 3)]), get(1), settings(&[(4, 2)]), window_update(1, 2)],
            vec![3, 1],
        ),
    ] {
        let (mut client, mut handler) = (Client::connected(&[]), Handler::default());
        for step in steps {
            client.send(&step).unwrap();
            handler.run(&mut client);
        }
        let frames = parse(&client.out);
        let lengths = frames.iter().filter(|(header, _)| header.kind == DATA).map(|(header, _)| header.length);
        assert_eq!(lengths.collect::<Vec<_>>(), expected, "{name}");
        assert!(expected.iter().sum::<usize>() < BODY.len());
    }
}

#[test]
fn http2_7_and_8_errors_and_messages() {
    let common = [(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "localhost")];
    let only = |kept: &[usize]| {
        let kept: Vec<_> = kept.iter().map(|at| common[*at]).collect();
        vec![headers(END_HEADERS | END_STREAM, 1, &fields(&kept))]
    };
    let with = |more: &[(&str, &str)]| vec![get_and(more)];
    let trailer =
        |flags: u8, name: &str| vec![[post(1), data(1, "test"), headers(flags, 1, &field(name, "POST"))].concat()];
    let length = || headers(END_HEADERS, 1, &request("POST", &[("content-length", "1")]));
    let empty_path = fields(&[common[0], common[1], (":path", ""), common[3]]);
    let late = fields(&[&[("x-test", "ok")][..], &common].concat());
    check(vec![
        ("7/1: GOAWAY with an unknown error code", vec![frame(GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 0xff])], Alive),
        (
            "7/2: RST_STREAM with an unknown error code",
            vec![[get(1), frame(RST_STREAM, 0, 1, &[0, 0, 0, 0xff])].concat()],
            Alive,
        ),
        ("8.1/1: second HEADERS without END_STREAM", trailer(END_HEADERS, "x-test"), Reset(Protocol)),
        ("8.1.2/1: a name in uppercase", with(&[("X-TEST", "ok")]), Reset(Protocol)),
        ("8.1.2.1/1: unknown pseudo-header field", with(&[(":test", "ok")]), Reset(Protocol)),
        ("8.1.2.1/2: pseudo-header field of responses", with(&[(":status", "200")]), Reset(Protocol)),
        ("8.1.2.1/3: pseudo-header field in trailers", trailer(END_HEADERS | END_STREAM, ":method"), Reset(Protocol)),
        (
            "8.1.2.1/4: pseudo-header field after others",
            vec![headers(END_HEADERS | END_STREAM, 1, &late)],
            Reset(Protocol),
        ),
        ("8.1.2.2/1: connection-specific field", with(&[("connection", "keep-alive")]), Reset(Protocol)),
        (
            "8.1.2.2/2: TE other than trailers",
            with(&[("trailers", "test"), ("te", "trailers, deflate")]),
            Reset(Protocol),
        ),
        ("8.1.2.3/1: empty :path", vec![headers(END_HEADERS | END_STREAM, 1, &empty_path)], Reset(Protocol)),
        ("8.1.2.3/2: no :method", only(&[1, 2, 3]), Reset(Protocol)),
        ("8.1.2.3/3: no :scheme", only(&[0, 2, 3]), Reset(Protocol)),
        ("8.1.2.3/4: no :path", only(&[0, 1, 3]), Reset(Protocol)),
        ("8.1.2.3/5: two :method", only(&[0, 1, 2, 3, 0]), Reset(Protocol)),
        ("8.1.2.3/6: two :scheme", only(&[0, 1, 2, 3, 1]), Reset(Protocol)),
        ("8.1.2.3/7: two :path", only(&[0, 1, 2, 3, 2]), Reset(Protocol)),
        ("8.1.2.6/1: content-length is not the length of DATA", vec![length(), last_data(1, "test")], Reset(Protocol)),
        (
            "8.1.2.6/2: content-length is not the sum of DATA",
            vec![length(), data(1, "test"), last_data(1, "test")],
            Reset(Protocol),
        ),
        ("8.2/1: PUSH_PROMISE", vec![frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 3])], GoAway(Protocol)),
    ]);
}

#[test]
fn deliberately_different() {
    let on_itself = [&[0, 0, 0, 1, 255][..], &request("GET", &[])].concat();
    check(vec![
        // h2spec: a stream error. RFC 9113 section 5.3 has no priorities any more, so there is nothing to check.
        (
            "5.3.1/1: HEADERS that depends on itself",
            vec![headers(END_HEADERS | END_STREAM | PRIORITIZED, 1, &on_itself)],
            Answered,
        ),
        ("5.3.1/2: PRIORITY that depends on itself", vec![frame(PRIORITY, 0, 1, &[0, 0, 0, 1, 255])], Alive),
        // h2spec has no case for what comes after RST_STREAM of the server: the client may not have seen it yet (section 5.1).
        ("after a stream error: DATA", vec![length_error(), last_data(1, "x")], Reset(Protocol)),
        (
            "after a stream error: trailers",
            vec![length_error(), headers(END_HEADERS | END_STREAM, 1, &field("x", "y"))],
            Reset(Protocol),
        ),
        (
            "after a stream error: WINDOW_UPDATE and RST_STREAM",
            vec![length_error(), window_update(1, 0), reset(1)],
            Reset(Protocol),
        ),
    ]);
}
