//! Handshakes and application data, cut into reads in every way.

use rustls::HandshakeKind;

use super::*;

/// A handshake whose flights are cut like this; the connection must then work.
fn assert_connects(version: Version, cut: Cut<'_>) {
    let mut client = client(&Arc::new(client_config(version)));
    let (pipe, accepted) = handshake(&mut client, Arc::new(server_config()), cut);
    let mut connected = Connected { stream: accepted.unwrap(), pipe, client };
    assert_eq!(connected.client.protocol_version(), Some(version.version));
    assert_eq!(connected.stream.alpn_protocol(), Some(&b"http/1.1"[..]));
    connected.assert_no_buffers();
    let record = connected.records(b"request");
    connected.pipe.push(record);
    assert_eq!(connected.read_all(100), b"request");
    assert!(matches!(connected.write(b"response"), Poll::Ready(Ok(8))));
    assert_eq!(connected.client_receives().unwrap(), b"response");
}

#[test]
fn a_handshake_may_be_cut_at_every_byte() {
    for version in VERSIONS {
        let mut lengths = Vec::new();
        assert_connects(version, &mut |bytes| {
            lengths.push(bytes.len());
            vec![bytes]
        });
        assert!(lengths.len() > 1, "{lengths:?}");
        for at in 1..lengths.into_iter().max().unwrap() {
            assert_connects(version, &mut |mut bytes| {
                let rest = bytes.split_off(at.min(bytes.len()));
                [bytes, rest].into_iter().filter(|part| !part.is_empty()).collect()
            });
        }
        assert_connects(version, &mut one_by_one);
    }
}

#[test]
fn a_client_hello_of_many_records_is_put_together() {
    for version in VERSIONS {
        let mut config = client_config(version);
        config.max_fragment_size = Some(32);
        config.alpn_protocols.extend((0..2000).map(|index| format!("protocol-{index:04}").into_bytes()));
        let mut length = 0;
        let mut client = client(&Arc::new(config));
        let (pipe, accepted) = handshake(&mut client, Arc::new(server_config()), &mut |bytes| {
            length = length.max(bytes.len());
            bytes.chunks(1000).map(<[u8]>::to_vec).collect()
        });
        assert!(length > 30_000, "longer than the worker's buffer, but {length}");
        let connected = Connected { stream: accepted.unwrap(), pipe, client };
        connected.assert_no_buffers();
    }
}

#[test]
fn an_endless_client_hello_is_refused() {
    let pipe = Pipe::default();
    // A handshake message of 65,535 bytes in records of one.
    pipe.push([&[0x16, 3, 1, 0, 4, 1, 0, 0xff, 0xff][..], &[0x16, 3, 1, 0, 1, 7].repeat(65_534)].concat());
    let mut accepting = pin!(TlsStream::accept(pipe.clone(), Arc::new(server_config())));
    let Poll::Ready(Err(error)) = pipe.poll(|context| accepting.as_mut().poll(context)) else { panic!("accepted") };
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    let left: usize = pipe.0.borrow().input.iter().map(Vec::len).sum();
    assert!(left > 300_000, "all but 64 KiB, and not {left}");
}

#[test]
fn records_may_be_cut_at_every_byte() {
    for version in VERSIONS {
        let mut connected = Connected::new(version);
        let length = connected.records(b"one").len() * 3;
        connected = Connected::new(version);
        for at in 1..length {
            let records = [&b"one"[..], b"two", b"six"].map(|plaintext| connected.records(plaintext)).concat();
            let (start, rest) = records.split_at(at);
            connected.pipe.push(start);
            let mut read = connected.read_all(100);
            connected.pipe.push(rest);
            read.extend(connected.read_all(100));
            assert_eq!(read, b"onetwosix", "cut at {at}");
            connected.assert_no_buffers();
        }
        for bytes in one_by_one([connected.records(b"one"), connected.records(b"two")].concat()) {
            connected.pipe.push(bytes);
        }
        assert_eq!(connected.read_all(100), b"onetwo");
    }
}

#[test]
fn writes_work_while_a_record_is_incomplete() {
    for version in VERSIONS {
        let mut connected = Connected::new(version);
        let length = connected.records(b"request").len();
        connected = Connected::new(version);
        for at in 1..length {
            let record = connected.records(b"request");
            connected.pipe.push(&record[..at]);
            assert!(connected.read(100).is_pending());
            assert!(matches!(connected.write(b"early"), Poll::Ready(Ok(5))), "cut at {at}");
            assert_eq!(connected.client_receives().unwrap(), b"early");
            connected.pipe.push(&record[at..]);
            assert_eq!(connected.read_all(100), b"request");
        }
    }
}

#[test]
fn small_buffers_get_all_of_several_records() {
    for version in VERSIONS {
        for size in [1, 2, 3, 7, 100, 16_384, 20_000] {
            let mut connected = Connected::new(version);
            let plaintext = pattern(3000);
            let records: Vec<u8> = plaintext.chunks(500).flat_map(|part| connected.records(part)).collect();
            connected.pipe.push(records);
            assert_eq!(connected.read_all(size), plaintext, "{size} at a time");
            connected.assert_no_buffers();
        }
    }
}

#[test]
fn records_of_the_greatest_length_are_read() {
    for version in VERSIONS {
        let mut connected = Connected::new(version);
        let plaintext = pattern(100_000);
        let records = connected.records(&plaintext);
        connected.pipe.push(records);
        assert_eq!(connected.read_all(16 * 1024), plaintext);
        connected.assert_no_buffers();
    }
}

#[test]
fn a_read_into_no_buffer_reads_nothing() {
    let mut connected = Connected::new(&TLS13);
    assert!(matches!(connected.read(0), Poll::Ready(Ok(read)) if read.is_empty()));
    let record = connected.records(b"request");
    connected.pipe.push(record);
    assert!(matches!(connected.read(0), Poll::Ready(Ok(read)) if read.is_empty()));
    assert_eq!(connected.read_all(100), b"request");
}

#[test]
fn a_request_that_arrives_with_the_end_of_the_handshake_is_not_lost() {
    let mut client = client(&Arc::new(client_config(&TLS13)));
    let mut flights = 0;
    client.writer().write_all(b"request").unwrap();
    let (pipe, accepted) = handshake(&mut client, Arc::new(server_config()), &mut |bytes| {
        flights += 1;
        vec![bytes]
    });
    assert_eq!(flights, 2);
    let mut connected = Connected { stream: accepted.unwrap(), pipe, client };
    assert_eq!(connected.read_all(3), b"request");
    connected.assert_no_buffers();
}

#[test]
fn sessions_are_resumed_by_tickets() {
    for version in VERSIONS {
        let (client, server) = (Arc::new(client_config(version)), Arc::new(server_config()));
        let mut first = Connected::with(client.clone(), server.clone());
        first.assert_no_buffers();
        assert_eq!(first.client_receives().unwrap(), b"");
        assert_eq!(first.client.handshake_kind(), Some(HandshakeKind::Full));
        let second = Connected::with(client, server);
        assert_eq!(second.client.handshake_kind(), Some(HandshakeKind::Resumed));
    }
}

#[test]
fn a_retried_client_hello_is_accepted() {
    let mut server = server_config();
    let mut provider = ring::default_provider();
    provider.kx_groups.retain(|group| group.name() == rustls::NamedGroup::secp384r1);
    server = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(server.cert_resolver);
    let connected = Connected::with(Arc::new(client_config(&TLS13)), Arc::new(server));
    assert_eq!(connected.client.handshake_kind(), Some(HandshakeKind::FullWithHelloRetryRequest));
}

#[test]
fn early_data_is_not_accepted() {
    let (mut client_config, mut server_config) = (client_config(&TLS13), server_config());
    client_config.enable_early_data = true;
    server_config.max_early_data_size = 1000;
    let offering = Arc::new(server_config.clone());
    server_config.max_early_data_size = 0;
    let (client_config, server_config) = (Arc::new(client_config), Arc::new(server_config));
    let mut first = Connected::with(client_config.clone(), offering);
    assert_eq!(first.client_receives().unwrap(), b"");
    // It has a ticket that allows early data.
    let mut client = client(&client_config);
    client.early_data().unwrap().write_all(b"early").unwrap();
    let (pipe, accepted) = handshake(&mut client, server_config, &mut |bytes| vec![bytes]);
    let mut connected = Connected { stream: accepted.unwrap(), pipe, client };
    assert!(!connected.client.is_early_data_accepted());
    let record = connected.records(b"late");
    connected.pipe.push(record);
    assert_eq!(connected.read_all(100), b"late");
}
