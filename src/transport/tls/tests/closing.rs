//! `close_notify`, the end of the input, alerts.

use rustls::{
    AlertDescription, ConnectionTrafficSecrets, ContentType, Error, ProtocolVersion, SupportedCipherSuite,
    crypto::cipher::OutboundPlainMessage,
};

use super::*;

#[test]
fn close_notify_ends_the_input_and_writes_still_work() {
    for version in VERSIONS {
        let mut connected = Connected::new(version);
        let record = connected.records(b"request");
        connected.client.send_close_notify();
        let close = flight(&mut connected.client);
        // What follows must be ignored, also if it is no record at all.
        connected.pipe.push([record, close, b"garbage after the end".to_vec()].concat());
        assert_eq!(connected.read(100).map(Result::unwrap), Poll::Ready(b"request".to_vec()));
        for _ in 0..3 {
            assert!(matches!(connected.read(100), Poll::Ready(Ok(read)) if read.is_empty()));
            assert!(matches!(connected.write(b"response"), Poll::Ready(Ok(8))));
            assert_eq!(connected.client_receives().unwrap(), b"response");
        }
        connected.assert_no_buffers();
        assert!(connected.shutdown().map(Result::unwrap).is_ready());
        connected.assert_no_buffers();
        assert!(connected.pipe.is_shut_down());
    }
}

#[test]
fn close_notify_may_be_cut_at_every_byte() {
    for version in VERSIONS {
        for at in 1.. {
            let mut connected = Connected::new(version);
            connected.client.send_close_notify();
            let close = flight(&mut connected.client);
            if at >= close.len() {
                break;
            }
            connected.pipe.push(&close[..at]);
            assert!(connected.read(100).is_pending());
            connected.pipe.push(&close[at..]);
            assert!(matches!(connected.read(100), Poll::Ready(Ok(read)) if read.is_empty()));
        }
    }
}

#[test]
fn an_end_without_close_notify_is_an_error() {
    for version in VERSIONS {
        for part in [0, 1, 10] {
            let mut connected = Connected::new(version);
            let record = connected.records(b"request");
            if part > 0 {
                connected.pipe.push(&record[..part]);
            }
            connected.pipe.end_input();
            for _ in 0..3 {
                let Poll::Ready(Err(error)) = connected.read(100) else { panic!("no error") };
                assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
            }
            assert!(matches!(connected.write(b"response"), Poll::Ready(Ok(8))));
        }
    }
}

#[test]
fn shutdown_sends_close_notify_once_after_all_output() {
    for version in VERSIONS {
        let mut connected = Connected::new(version);
        connected.pipe.set_room(100);
        assert!(matches!(connected.write(&pattern(10_000)), Poll::Ready(Ok(10_000))));
        for _ in 0..3 {
            assert!(connected.shutdown().is_pending());
        }
        assert!(!connected.pipe.is_shut_down());
        connected.pipe.set_room(usize::MAX);
        for _ in 0..3 {
            assert!(connected.shutdown().map(Result::unwrap).is_ready());
        }
        assert!(connected.pipe.is_shut_down());
        let output = connected.pipe.0.borrow().output.clone();
        let kind = if version.version == TLS12.version { 21 } else { 23 };
        assert_eq!(record_types(&output), [23, kind]);
        assert_eq!(connected.client_receives().unwrap(), pattern(10_000));
        // It knows that this is the end.
        assert_eq!(connected.client.reader().read(&mut [0]).unwrap(), 0);
        assert!(
            matches!(connected.write(b"more"), Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe)
        );
        connected.assert_no_buffers();
    }
}

#[test]
fn shutdown_succeeds_when_the_client_has_left() {
    let mut connected = Connected::new(&TLS13);
    connected.pipe.0.borrow_mut().shutdown_error = Some(io::ErrorKind::NotConnected);
    assert!(matches!(connected.shutdown(), Poll::Ready(Ok(()))));
    let mut connected = Connected::new(&TLS13);
    connected.pipe.0.borrow_mut().shutdown_error = Some(io::ErrorKind::Other);
    assert!(matches!(connected.shutdown(), Poll::Ready(Err(_))));
}

#[test]
fn input_after_shutdown_is_discarded_until_it_ends() {
    for version in VERSIONS {
        let mut connected = Connected::new(version);
        let record = connected.records(b"request");
        connected.pipe.push(&record[..10]);
        assert!(connected.read(100).is_pending());
        assert!(connected.shutdown().is_ready());
        connected.assert_no_buffers();
        connected.pipe.push(&record[10..]);
        let records = connected.records(&pattern(100_000));
        connected.pipe.push(records);
        // It would be answered by an alert.
        connected.pipe.push(b"no TLS record");
        assert!(connected.read(100).is_pending());
        connected.assert_no_buffers();
        connected.pipe.end_input();
        assert!(matches!(connected.read(100), Poll::Ready(Ok(read)) if read.is_empty()));
    }
}

/// The stream receives this after a valid record. The record must be read, then all must fail, and the client must get
/// the alert.
fn assert_alert(version: Version, bytes: &[u8], alert: AlertDescription) {
    let mut connected = Connected::new(version);
    let mut input = connected.records(b"request");
    input.extend_from_slice(bytes);
    connected.pipe.push(input);
    assert_eq!(connected.read(100).map(Result::unwrap), Poll::Ready(b"request".to_vec()));
    for _ in 0..3 {
        assert!(matches!(connected.read(100), Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::InvalidData));
        assert!(matches!(connected.write(b"x"), Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::InvalidData));
    }
    assert_eq!(connected.client_receives(), Err(Error::AlertReceived(alert)));
    assert!(connected.shutdown().is_ready());
    assert!(connected.pipe.take_output().is_empty(), "the alert is the last record");
    assert!(connected.pipe.is_shut_down());
    connected.assert_no_buffers();
}

#[test]
fn an_invalid_record_is_answered_by_an_alert() {
    for version in VERSIONS {
        assert_alert(version, b"GET / HTTP/1.1\r\n\r\n", AlertDescription::DecodeError);
        assert_alert(version, &[23, 3, 3, 0xff, 0xff], AlertDescription::DecodeError);
        assert_alert(version, &[&[23, 3, 3, 0, 40][..], &[7; 40]].concat(), AlertDescription::BadRecordMac);
        assert_alert(version, &[&[23, 3, 3, 0x47, 0xff][..], &[7; 0x47ff]].concat(), AlertDescription::BadRecordMac);
    }
}

#[test]
fn an_alert_that_does_not_fit_is_sent_later() {
    let mut connected = Connected::new(&TLS13);
    connected.pipe.set_room(3);
    connected.pipe.push(b"no TLS record");
    assert!(matches!(connected.read(100), Poll::Ready(Err(_))));
    assert!(connected.shutdown().is_pending());
    connected.pipe.set_room(usize::MAX);
    assert!(connected.shutdown().is_ready());
    assert_eq!(connected.client_receives(), Err(Error::AlertReceived(AlertDescription::DecodeError)));
}

#[test]
fn an_alert_of_the_client_is_an_error_without_an_answer() {
    // In TLS 1.2 alerts are encrypted like any record, but an unencrypted one is what a broken client would send.
    for version in VERSIONS {
        let mut connected = Connected::new(version);
        // A response that the client cannot decrypt.
        connected.client.read_tls(&mut &[&[23, 3, 3, 0, 40][..], &[7; 40]].concat()[..]).unwrap();
        connected.client.process_new_packets().unwrap_err();
        let alert = flight(&mut connected.client);
        connected.pipe.push(alert);
        let Poll::Ready(Err(error)) = connected.read(100) else { panic!("no error") };
        assert!(error.to_string().contains("BadRecordMac"), "{error}");
        assert!(connected.shutdown().is_ready());
        assert!(connected.pipe.take_output().is_empty());
    }
}

#[test]
fn a_renegotiation_is_refused_with_a_warning_and_then_an_error() {
    let mut config = client_config(&TLS12);
    config.enable_secret_extraction = true;
    let Connected { mut stream, pipe, client } = Connected::with(Arc::new(config), Arc::new(server_config()));
    let Some(SupportedCipherSuite::Tls12(suite)) = client.negotiated_cipher_suite() else { panic!("not TLS 1.2") };
    let (sequence, secrets) = client.dangerous_extract_secrets().unwrap().tx;
    let ConnectionTrafficSecrets::Aes256Gcm { key, iv } = secrets else { panic!("another cipher") };
    let mut encrypter = suite.aead_alg.encrypter(key, &iv.as_ref()[..4], &iv.as_ref()[4..]);
    // A client of rustls never asks for one, so this is a new client's hello, encrypted.
    let hello = flight(&mut self::client(&Arc::new(client_config(&TLS12))));
    let mut hello = |add| {
        let (typ, version) = (ContentType::Handshake, ProtocolVersion::TLSv1_2);
        let message = OutboundPlainMessage { typ, version, payload: hello[5..].into() };
        encrypter.encrypt(message, sequence + add).unwrap().encode()
    };
    let mut buffer = [0; 100];
    let mut read = || {
        let mut buffer = ReadBuf::new(&mut buffer);
        pipe.poll(|context| Pin::new(&mut stream).poll_read(context, &mut buffer))
    };
    pipe.set_room(0);
    pipe.push(hello(0));
    assert!(read().is_pending());
    pipe.set_room(usize::MAX);
    assert!(read().is_pending());
    assert_eq!(record_types(&pipe.take_output()), [21]);
    pipe.push(hello(1));
    assert!(matches!(read(), Poll::Ready(Err(error)) if error.to_string().contains("TooManyRenegotiation")));
}

/// A handshake that fails by this input.
fn refused(input: &[u8]) -> (Pipe, io::Error) {
    let pipe = Pipe::default();
    // The alert goes out a byte at a time.
    pipe.set_room(1);
    pipe.push(input);
    let mut accepting = pin!(TlsStream::accept(pipe.clone(), Arc::new(server_config())));
    loop {
        match pipe.poll(|context| accepting.as_mut().poll(context)) {
            Poll::Ready(accepted) => return (pipe, accepted.err().expect("it must fail")),
            Poll::Pending => pipe.set_room(1),
        }
    }
}

#[test]
fn plain_http_is_refused_with_an_alert() {
    let (pipe, error) = refused(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    // Fatal, decode_error.
    assert_eq!(pipe.take_output(), [21, 3, 3, 0, 2, 2, 50]);
}

#[test]
fn a_handshake_that_fails_sends_its_alert() {
    for version in VERSIONS {
        let mut config = client_config(version);
        config.alpn_protocols = vec![b"gopher".to_vec()];
        let mut client = client(&Arc::new(config));
        let (pipe, error) = refused(&flight(&mut client));
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        let alert = feed(&mut client, &pipe.take_output());
        assert_eq!(alert, Err(Error::AlertReceived(AlertDescription::NoApplicationProtocol)));
    }
}

#[test]
fn a_client_that_leaves_during_the_handshake_is_an_error() {
    let hello = flight(&mut client(&Arc::new(client_config(&TLS13))));
    for length in [0, 1, 10, hello.len()] {
        let pipe = Pipe::default();
        if length > 0 {
            pipe.push(&hello[..length]);
        }
        pipe.end_input();
        let mut accepting = pin!(TlsStream::accept(pipe.clone(), Arc::new(server_config())));
        let Poll::Ready(Err(error)) = pipe.poll(|context| accepting.as_mut().poll(context)) else { panic!("accepted") };
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
