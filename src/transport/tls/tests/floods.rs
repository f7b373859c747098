//! Clients that keep the server busy.

use rustls::ContentType;

use super::{forged::Forger, *};

/// Input without plaintext, of which there is always more. Each poll must end after few reads, by waking itself.
fn assert_yields(connected: &mut Connected, mut more: impl FnMut() -> Vec<u8>) {
    for _ in 0..50 {
        while connected.pipe.0.borrow().input.len() < 10 {
            connected.pipe.push(more());
        }
        (connected.pipe.0.borrow_mut().reads, connected.pipe.0.borrow_mut().received) = (0, 0);
        let stream = &mut connected.stream;
        let mut buffer = [0; 100];
        let (outcome, woken) = connected.pipe.poll_once(|context| {
            let mut buffer = ReadBuf::new(&mut buffer);
            Pin::new(&mut *stream).poll_read(context, &mut buffer)
        });
        assert!(outcome.is_pending() && woken);
        let wire = connected.pipe.0.borrow();
        assert!(
            (1..=4).contains(&wire.reads) && wire.received <= 2 * RECORD_MAX,
            "{} in {}",
            wire.received,
            wire.reads
        );
        drop(wire);
        assert!(connected.stream.session().buffer_capacities()[1..] == [0, 0]);
    }
}

#[test]
fn key_updates_do_not_keep_a_poll_busy_or_fill_the_output() {
    let (mut forger, mut connected) = Forger::connect();
    connected.pipe.set_room(0);
    // rustls allows 32 key updates between records, which may be empty.
    assert_yields(&mut connected, || {
        let mut bytes = Vec::new();
        while bytes.len() < 15_000 {
            for _ in 0..32 {
                bytes.extend(forger.key_update(true));
            }
            bytes.extend(forger.record(ContentType::ApplicationData, b""));
        }
        bytes
    });
    connected.pipe.set_room(usize::MAX);
    // Whatever is left of the flood.
    assert!(connected.read(100).is_pending());
    assert!(matches!(connected.write(b"x"), Poll::Ready(Ok(1))));
    assert_eq!(forger.open(connected.pipe.take_output()).len(), 2);
    connected.assert_no_buffers();
}

#[test]
fn key_updates_without_data_are_refused() {
    let (mut forger, mut connected) = Forger::connect();
    let updates: Vec<u8> = (0..33).flat_map(|_| forger.key_update(true)).collect();
    connected.pipe.push(updates);
    assert!(matches!(connected.read(100), Poll::Ready(Err(error)) if error.to_string().contains("TooManyKeyUpdate")));
}

#[test]
fn empty_records_are_refused() {
    let (mut forger, mut connected) = Forger::connect();
    let empty: Vec<u8> = (0..33).flat_map(|_| forger.record(ContentType::ApplicationData, b"")).collect();
    connected.pipe.push(empty);
    assert!(matches!(connected.read(100), Poll::Ready(Err(error)) if error.to_string().contains("TooManyEmpty")));
}

#[test]
fn a_record_in_tiny_parts_does_not_keep_a_poll_busy() {
    for version in VERSIONS {
        let mut connected = Connected::new(version);
        let record = connected.records(&pattern(1000));
        let mut bytes = record.into_iter();
        assert_yields(&mut connected, || vec![bytes.next().unwrap()]);
    }
}

#[test]
fn an_endless_handshake_message_is_refused() {
    let (mut forger, mut connected) = Forger::connect();
    let mut input = forger.record(ContentType::Handshake, &[24, 0, 0xff, 0xff]);
    for _ in 0..10_000 {
        input.extend(forger.record(ContentType::Handshake, &[0]));
    }
    let whole = input.len();
    connected.pipe.push(input);
    assert!(matches!(connected.read(100), Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::InvalidData));
    let left: usize = connected.pipe.0.borrow().input.iter().map(Vec::len).sum();
    assert!(whole - left < 100_000, "{} bytes read", whole - left);
    connected.assert_no_buffers();
}

#[test]
fn records_of_one_byte_are_read() {
    let mut connected = Connected::new(&TLS13);
    let records: Vec<u8> = (0..5000).flat_map(|_| connected.records(b"x")).collect();
    connected.pipe.push(records);
    assert_eq!(connected.read_all(1000), [b'x'; 5000]);
    connected.assert_no_buffers();
}
