//! A client of TLS 1.3 that can send any record: what no client of rustls would send.

use std::sync::Mutex;

use fastrand::Rng;
use rustls::{
    ContentType, KeyLog, ProtocolVersion, SupportedCipherSuite, Tls13CipherSuite,
    crypto::{
        cipher::{AeadKey, InboundOpaqueMessage, Iv, MessageDecrypter, MessageEncrypter, OutboundPlainMessage},
        tls13::OkmBlock,
    },
};

use super::*;

/// One direction's keys (RFC 8446 section 7).
struct Keys {
    suite: &'static Tls13CipherSuite,
    secret: Vec<u8>,
    sequence: u64,
}

impl Keys {
    fn expand(&self, label: &str, length: usize) -> Vec<u8> {
        let label = format!("tls13 {label}");
        let head = [0, u8::try_from(length).unwrap(), u8::try_from(label.len()).unwrap()];
        let expander = self.suite.hkdf_provider.expander_for_okm(&OkmBlock::new(&self.secret));
        let mut expanded = vec![0; length];
        expander.expand_slice(&[&head, label.as_bytes(), &[0]], &mut expanded).unwrap();
        expanded
    }

    fn key_and_iv(&self) -> (AeadKey, Iv) {
        let key: [u8; 32] = self.expand("key", 32).try_into().unwrap();
        (AeadKey::from(key), Iv::copy(&self.expand("iv", 12)))
    }

    fn encrypter(&self) -> Box<dyn MessageEncrypter> {
        let (key, iv) = self.key_and_iv();
        self.suite.aead_alg.encrypter(key, iv)
    }

    fn decrypter(&self) -> Box<dyn MessageDecrypter> {
        let (key, iv) = self.key_and_iv();
        self.suite.aead_alg.decrypter(key, iv)
    }

    fn update(&mut self) {
        self.secret = self.expand("traffic upd", self.secret.len());
        self.sequence = 0;
    }
}

/// Both directions.
pub struct Forger {
    sends: Keys,
    receives: Keys,
}

#[derive(Debug, Default)]
struct Secrets(Mutex<Vec<(String, Vec<u8>)>>);

impl KeyLog for Secrets {
    fn log(&self, label: &str, _: &[u8], secret: &[u8]) {
        self.0.lock().unwrap().push((label.to_owned(), secret.to_vec()));
    }
}

impl Forger {
    pub fn connect() -> (Self, Connected) {
        let secrets = Arc::new(Secrets::default());
        let mut config = client_config(&TLS13);
        config.key_log = secrets.clone();
        let mut server_config = server_config();
        server_config.send_tls13_tickets = 0;
        let connected = Connected::with(Arc::new(config), Arc::new(server_config));
        let Some(SupportedCipherSuite::Tls13(suite)) = connected.client.negotiated_cipher_suite() else {
            panic!("not TLS 1.3");
        };
        let keys = |wanted: &str| {
            let secrets = secrets.0.lock().unwrap();
            let (_, secret) = secrets.iter().find(|(label, _)| label == wanted).unwrap();
            Keys { suite, secret: secret.clone(), sequence: 0 }
        };
        let (sends, receives) = (keys("CLIENT_TRAFFIC_SECRET_0"), keys("SERVER_TRAFFIC_SECRET_0"));
        (Self { sends, receives }, connected)
    }

    pub fn record(&mut self, typ: ContentType, payload: &[u8]) -> Vec<u8> {
        let message = OutboundPlainMessage { typ, version: ProtocolVersion::TLSv1_3, payload: payload.into() };
        let record = self.sends.encrypter().encrypt(message, self.sends.sequence).unwrap().encode();
        self.sends.sequence += 1;
        record
    }

    /// A key update (RFC 8446 section 4.6.3).
    pub fn key_update(&mut self, requested: bool) -> Vec<u8> {
        let record = self.record(ContentType::Handshake, &[24, 0, 0, 1, u8::from(requested)]);
        self.sends.update();
        record
    }

    /// Decrypts the records of the output.
    pub fn open(&mut self, mut output: Vec<u8>) -> Vec<(ContentType, Vec<u8>)> {
        let mut messages = Vec::new();
        let mut rest = &mut output[..];
        while !rest.is_empty() {
            let length = usize::from(u16::from_be_bytes([rest[3], rest[4]]));
            let (record, after) = rest.split_at_mut(5 + length);
            let sealed = InboundOpaqueMessage::new(record[0].into(), ProtocolVersion::TLSv1_2, &mut record[5..]);
            let message = self.receives.decrypter().decrypt(sealed, self.receives.sequence).unwrap();
            self.receives.sequence += 1;
            messages.push((message.typ, message.payload.to_vec()));
            if message.typ == ContentType::Handshake && message.payload[0] == 24 {
                self.receives.update();
            }
            rest = after;
        }
        messages
    }
}

const UPDATED: (ContentType, &[u8]) = (ContentType::Handshake, &[24, 0, 0, 1, 0]);

fn open(forger: &mut Forger, connected: &Connected) -> Vec<(ContentType, Vec<u8>)> {
    forger.open(connected.pipe.take_output())
}

fn message(typ: ContentType, payload: &[u8]) -> (ContentType, Vec<u8>) {
    (typ, payload.to_vec())
}

#[test]
fn a_requested_key_update_precedes_the_next_output() {
    let (mut forger, mut connected) = Forger::connect();
    for _ in 0..3 {
        // Several requests have one answer.
        for _ in 0..2 {
            let update = forger.key_update(true);
            connected.pipe.push(update);
            assert!(connected.read(100).is_pending());
            connected.assert_no_buffers();
        }
        let record = forger.record(ContentType::ApplicationData, b"request");
        connected.pipe.push(record);
        assert_eq!(connected.read_all(100), b"request");
        assert_eq!(open(&mut forger, &connected), []);
        assert!(matches!(connected.write(b"response"), Poll::Ready(Ok(8))));
        let expected = [message(UPDATED.0, UPDATED.1), message(ContentType::ApplicationData, b"response")];
        assert_eq!(open(&mut forger, &connected), expected);
    }
    let update = forger.key_update(false);
    connected.pipe.push(update);
    assert!(connected.read(100).is_pending());
    assert!(matches!(connected.write(b"response"), Poll::Ready(Ok(8))));
    assert_eq!(open(&mut forger, &connected), [message(ContentType::ApplicationData, b"response")]);
}

#[test]
fn a_requested_key_update_precedes_the_end() {
    let (mut forger, mut connected) = Forger::connect();
    let update = forger.key_update(true);
    connected.pipe.push(update);
    assert!(connected.read(100).is_pending());
    assert!(connected.shutdown().is_ready());
    let close_notify = message(ContentType::Alert, &[1, 0]);
    assert_eq!(open(&mut forger, &connected), [message(UPDATED.0, UPDATED.1), close_notify]);
}

#[test]
fn a_client_of_rustls_updates_its_keys() {
    let mut connected = Connected::new(&TLS13);
    for _ in 0..3 {
        connected.client.refresh_traffic_keys().unwrap();
        let records = connected.records(b"request");
        assert_eq!(record_types(&records), [23, 23]);
        for part in one_by_one(records) {
            connected.pipe.push(part);
            let stream = connected.read(100);
            assert!(stream.is_pending() || matches!(stream, Poll::Ready(Ok(read)) if read == b"request"));
        }
        assert!(matches!(connected.write(b"response"), Poll::Ready(Ok(8))));
        assert_eq!(connected.client_receives().unwrap(), b"response");
        connected.assert_no_buffers();
    }
}

#[test]
fn writes_work_while_a_handshake_message_is_incomplete() {
    let (mut forger, mut connected) = Forger::connect();
    let parts = [&[24][..], &[0, 0], &[1], &[0]].map(|part| forger.record(ContentType::Handshake, part));
    for part in parts {
        let (start, end) = part.split_at(part.len() / 2);
        for bytes in [start, end] {
            connected.pipe.push(bytes);
            assert!(connected.read(100).is_pending());
            assert!(matches!(connected.write(b"x"), Poll::Ready(Ok(1))));
            assert_eq!(open(&mut forger, &connected), [message(ContentType::ApplicationData, b"x")]);
        }
    }
    forger.sends.update();
    let record = forger.record(ContentType::ApplicationData, b"request");
    connected.pipe.push(record);
    assert_eq!(connected.read_all(100), b"request");
    connected.assert_no_buffers();
}

#[test]
fn a_failure_while_a_handshake_message_is_incomplete_sends_its_alert() {
    let (mut forger, mut connected) = Forger::connect();
    let part = forger.record(ContentType::Handshake, &[24, 0]);
    connected.pipe.push(part);
    assert!(connected.read(100).is_pending());
    connected.pipe.push(b"no TLS record");
    assert!(matches!(connected.read(100), Poll::Ready(Err(_))));
    assert_eq!(open(&mut forger, &connected), [message(ContentType::Alert, &[2, 50])]);
    assert!(matches!(connected.write(b"x"), Poll::Ready(Err(_))));
    assert!(connected.shutdown().is_ready());
    assert_eq!(open(&mut forger, &connected), []);
    connected.assert_no_buffers();
}

#[test]
fn a_failure_without_an_alert_is_an_error() {
    let (mut forger, mut connected) = Forger::connect();
    // Interleaved with a handshake message (RFC 8446 section 5.1).
    let part = forger.record(ContentType::Handshake, &[24, 0]);
    let record = forger.record(ContentType::ApplicationData, b"request");
    connected.pipe.push([part, record].concat());
    for _ in 0..2 {
        assert!(matches!(connected.read(100), Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::InvalidData));
    }
    assert!(connected.shutdown().is_ready());
    assert_eq!(open(&mut forger, &connected), []);
    assert!(connected.pipe.is_shut_down());
}

#[test]
fn shutdown_works_while_a_handshake_message_is_incomplete() {
    let (mut forger, mut connected) = Forger::connect();
    let part = forger.record(ContentType::Handshake, &[24, 0]);
    connected.pipe.push(part);
    assert!(connected.read(100).is_pending());
    for _ in 0..2 {
        assert!(connected.shutdown().is_ready());
    }
    assert_eq!(open(&mut forger, &connected), [message(ContentType::Alert, &[1, 0])]);
    connected.assert_no_buffers();
}

/// A record that decrypts, of any type and content.
fn any_record(rng: &mut Rng, forger: &mut Forger) -> Vec<u8> {
    let messages: [&[u8]; 8] = [
        &[24, 0, 0, 1, 0],
        &[24, 0, 0, 1, 1],
        &[24, 0, 0, 1, 2],
        // close_notify, user_canceled, a fatal alert, an unknown level.
        &[1, 0],
        &[1, 90],
        &[2, 40],
        &[3, 0],
        &[0; 40],
    ];
    let mut payload = messages[rng.usize(0..messages.len())].to_vec();
    if rng.u32(0..3) == 0 {
        payload.truncate(rng.usize(0..=payload.len()));
    }
    if rng.u32(0..6) == 0 {
        payload.extend((0..rng.usize(0..20)).map(|_| rng.u8(..)));
    }
    let types = [ContentType::ApplicationData, ContentType::Handshake, ContentType::Handshake, ContentType::Alert];
    let typ = if rng.u32(0..8) == 0 { rng.u8(..).into() } else { types[rng.usize(0..types.len())] };
    let updates = typ == ContentType::Handshake && payload.len() == 5 && payload[0] == 24;
    let record = forger.record(typ, &payload);
    if updates {
        forger.sends.update();
    }
    record
}

#[test]
fn no_record_that_decrypts_causes_a_panic() {
    let sessions = std::env::var("SESSIONS").map_or(500, |sessions| sessions.parse().unwrap());
    for seed in 0..sessions {
        let mut rng = Rng::with_seed(seed);
        let (mut forger, mut connected) = Forger::connect();
        for _ in 0..rng.usize(1..20) {
            let record = any_record(&mut rng, &mut forger);
            let at = rng.usize(0..record.len());
            for part in [&record[..at], &record[at..]] {
                if !part.is_empty() {
                    connected.pipe.push(part);
                }
                match rng.u32(0..8) {
                    0 => drop(connected.write(b"output")),
                    1 => connected.pipe.set_room(rng.usize(0..100)),
                    2 if rng.u32(0..5) == 0 => drop(connected.shutdown()),
                    3 => drop(connected.flush()),
                    _ => drop(connected.read(rng.usize(1..100))),
                }
                let capacities = connected.stream.session().buffer_capacities();
                assert!(capacities.iter().all(|capacity| *capacity < 4096), "seed {seed}: {capacities:?}");
            }
        }
    }
}
