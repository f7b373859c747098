//! Output, and sockets that take it slowly.

use super::*;

#[test]
fn a_megabyte_reaches_a_reader_that_takes_little_at_a_time() {
    for version in VERSIONS {
        let mut connected = Connected::new(version);
        let plaintext = pattern(1024 * 1024);
        let (mut written, mut received) = (0, Vec::new());
        connected.pipe.set_room(0);
        while received.len() < plaintext.len() {
            while written < plaintext.len()
                && let Poll::Ready(length) = connected.write(&plaintext[written..])
            {
                written += length.unwrap();
            }
            let held = written - received.len();
            assert!(held <= PLAINTEXT_MAX + 2 * RECORD_MAX, "{held} bytes accepted that are not received");
            assert!(connected.stream.session().buffer_capacities()[2] <= 2 * RECORD_MAX);
            connected.pipe.set_room(5000);
            let _ = connected.flush().map(Result::unwrap);
            received.extend(connected.client_receives().unwrap());
        }
        assert_eq!(received, plaintext);
        assert!(connected.flush().is_ready());
        connected.assert_no_buffers();
    }
}

#[test]
fn no_record_is_accepted_while_the_one_before_is_not_sent() {
    let mut connected = Connected::new(&TLS13);
    connected.pipe.set_room(10);
    assert!(matches!(connected.write(b"first"), Poll::Ready(Ok(5))));
    for _ in 0..100 {
        assert!(connected.write(b"second").is_pending());
        assert!(connected.write_vectored(&[IoSlice::new(b"second"), IoSlice::new(b"third")]).is_pending());
        assert!(connected.flush().is_pending());
    }
    connected.pipe.set_room(usize::MAX);
    assert!(matches!(connected.write(b"second"), Poll::Ready(Ok(6))));
    assert_eq!(connected.client_receives().unwrap(), b"firstsecond");
    connected.assert_no_buffers();
}

#[test]
fn a_write_makes_few_records() {
    let mut connected = Connected::new(&TLS13);
    let mut records_of = |plaintext: &[u8], accepted| {
        assert!(matches!(connected.write(plaintext), Poll::Ready(Ok(length)) if length == accepted));
        assert!(connected.pipe.0.borrow().output.len() <= RECORD_MAX);
        record_types(&connected.pipe.take_output()).len()
    };
    assert_eq!(records_of(&pattern(16 * 1024), 16 * 1024), 1);
    assert_eq!(records_of(&pattern(16 * 1024 + 9), 16 * 1024 + 9), 2);
    assert_eq!(records_of(&pattern(100_000), PLAINTEXT_MAX), 2);
    assert!(matches!(connected.write(b""), Poll::Ready(Ok(0))));
    assert!(connected.pipe.take_output().is_empty());
}

#[test]
fn slices_are_collected() {
    let mut connected = Connected::new(&TLS13);
    let slices = [&b""[..], b"head", b"", b"body"];
    assert!(matches!(connected.write_vectored(&slices.map(IoSlice::new)), Poll::Ready(Ok(8))));
    let output = connected.pipe.0.borrow().output.clone();
    assert_eq!(record_types(&output), [23]);
    assert_eq!(connected.client_receives().unwrap(), b"headbody");

    let long = pattern(PLAINTEXT_MAX - 1);
    let slices = [&long[..], b"two", b"three"];
    assert!(matches!(connected.write_vectored(&slices.map(IoSlice::new)), Poll::Ready(Ok(PLAINTEXT_MAX))));
    assert_eq!(connected.client_receives().unwrap(), [&long[..], b"t"].concat());

    let long = pattern(PLAINTEXT_MAX + 1);
    let slices = [&long[..], b"more"];
    assert!(matches!(connected.write_vectored(&slices.map(IoSlice::new)), Poll::Ready(Ok(PLAINTEXT_MAX))));
    assert!(matches!(connected.write_vectored(&[IoSlice::new(b"one")]), Poll::Ready(Ok(3))));
    assert!(matches!(connected.write_vectored(&[IoSlice::new(b""); 2]), Poll::Ready(Ok(0))));
    assert_eq!(connected.client_receives().unwrap(), [&long[..PLAINTEXT_MAX], b"one"].concat());
}

#[test]
fn reads_work_while_writes_wait() {
    for version in VERSIONS {
        let mut connected = Connected::new(version);
        connected.pipe.set_room(100);
        assert!(matches!(connected.write(&pattern(10_000)), Poll::Ready(Ok(10_000))));
        let record = connected.records(b"request");
        connected.pipe.push(record);
        assert_eq!(connected.read_all(100), b"request");
        // A read sends, too.
        connected.pipe.set_room(usize::MAX);
        assert!(connected.read(100).is_pending());
        assert_eq!(connected.client_receives().unwrap(), pattern(10_000));
        connected.assert_no_buffers();
    }
}

#[test]
fn an_error_of_the_socket_is_returned_and_loses_no_ciphertext() {
    let mut connected = Connected::new(&TLS13);
    connected.pipe.0.borrow_mut().write_error = Some(io::ErrorKind::Interrupted);
    assert!(matches!(connected.write(b"first"), Poll::Ready(Ok(5))));
    connected.pipe.0.borrow_mut().write_error = Some(io::ErrorKind::ConnectionReset);
    assert!(matches!(connected.flush(), Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset));
    connected.pipe.0.borrow_mut().write_error = Some(io::ErrorKind::WriteZero);
    assert!(matches!(connected.write(b"lost"), Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::WriteZero));
    assert!(matches!(connected.write(b"second"), Poll::Ready(Ok(6))));
    assert_eq!(connected.client_receives().unwrap(), b"firstsecond");
}

#[test]
fn small_fragments_fit() {
    let mut server = server_config();
    server.max_fragment_size = Some(32);
    let mut connected = Connected::with(Arc::new(client_config(&TLS13)), Arc::new(server));
    assert!(matches!(connected.write(&pattern(20_000)), Poll::Ready(Ok(PLAINTEXT_MAX))));
    assert_eq!(connected.client_receives().unwrap(), pattern(PLAINTEXT_MAX));
}
