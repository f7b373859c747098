//! The TLS state of one connection, without I/O: takes ciphertext and returns plaintext, and the reverse.

use std::{collections::VecDeque, io, sync::Arc};

use rustls::{
    Error, InvalidMessage, ServerConfig,
    server::UnbufferedServerConnection,
    unbuffered::{ConnectionState, EncodeError, EncodeTlsData, EncryptError, InsufficientSizeError, UnbufferedStatus},
};
use tokio::io::ReadBuf;

/// The longest record rustls accepts, with its header (RFC 5246 section 6.2.3).
pub const RECORD_MAX: usize = 5 + 16 * 1024 + 2048;
/// How much is encrypted at once: an HTTP/2 frame of the default maximum size with its header (RFC 9113 section 4.2), so
/// that both leave in one write. Its two records fit into [`RECORD_MAX`] bytes.
pub const PLAINTEXT_MAX: usize = 17 * 1024;
/// Limits the records of an incomplete handshake message. rustls' buffered API has the same limit.
const INCOMPLETE_MAX: usize = 64 * 1024 - 1;
/// Room for new input after a long incomplete message.
const READ_MIN: usize = 4 * 1024;

/// A connection's TLS state. Its buffers have no capacity while they are empty.
pub struct Session {
    tls: UnbufferedServerConnection,
    /// Part of a record, or the records of an incomplete handshake message. rustls remembers its position in these
    /// bytes, and decrypts in place, so each call must pass them again, even if it is only about output.
    incomplete: Vec<u8>,
    /// What the reader's buffer had no room for.
    plaintext: VecDeque<u8>,
    /// Ciphertext the socket has not taken.
    unsent: VecDeque<u8>,
    /// The fatal error. rustls is not called again.
    failed: Option<Box<Error>>,
    /// The client has sent `close_notify`, or closed the connection after we did.
    input_closed: bool,
    /// We have sent `close_notify`. rustls is not called again.
    output_closed: bool,
}

impl Session {
    pub fn new(config: Arc<ServerConfig>) -> Result<Self, Error> {
        let tls = UnbufferedServerConnection::new(config)?;
        let (incomplete, plaintext, unsent) = (Vec::new(), VecDeque::new(), VecDeque::new());
        Ok(Self { tls, incomplete, plaintext, unsent, failed: None, input_closed: false, output_closed: false })
    }

    pub fn is_handshaking(&self) -> bool {
        self.tls.is_handshaking()
    }

    pub fn alpn_protocol(&self) -> Option<&[u8]> {
        self.tls.alpn_protocol()
    }

    /// Whether all input has been received.
    pub fn is_input_closed(&self) -> bool {
        self.input_closed
    }

    /// The fatal error, if there was one.
    pub fn check(&self) -> io::Result<()> {
        match &self.failed {
            Some(error) => Err(io::Error::new(io::ErrorKind::InvalidData, (**error).clone())),
            None => Ok(()),
        }
    }

    /// Must precede new input in the buffer passed to [`receive`](Self::receive).
    pub fn incomplete(&self) -> &[u8] {
        &self.incomplete
    }

    /// The size of a buffer for reading.
    pub fn read_size(&self) -> usize {
        RECORD_MAX.max(self.incomplete.len() + READ_MIN)
    }

    /// Processes complete records and keeps the rest. [`check`](Self::check) reports an error, so that the plaintext
    /// before it is not lost.
    pub fn receive(&mut self, input: &mut [u8], into: &mut ReadBuf<'_>) {
        // Discarded: an HTTP server does not need it, and a debug assertion of rustls fails if an alert follows our
        // `close_notify`.
        if self.output_closed {
            return;
        }
        let mut start = 0;
        let processed = loop {
            match self.process(&mut input[start..], into) {
                Ok((discard, false)) => start += discard,
                Ok((discard, true)) => break Ok(start + discard),
                Err(error) => break Err(error),
            }
        };
        match processed {
            // "Any data received after a closure alert has been received MUST be ignored" (RFC 8446 section 6.1).
            Ok(_) if self.input_closed => self.incomplete = Vec::new(),
            Ok(start) if input.len() - start <= INCOMPLETE_MAX => self.incomplete = input[start..].to_vec(),
            Ok(_) => self.fail(InvalidMessage::HandshakePayloadTooLarge.into()),
            Err(error) => self.fail(error),
        }
    }

    /// The socket has no more input. Without `close_notify` that is an error, unless input is being discarded.
    pub fn end_input(&mut self) -> io::Result<()> {
        self.input_closed = self.output_closed;
        if self.input_closed { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Handles one state of rustls. Returns how many bytes to discard, and whether rustls waits for more input.
    fn process(&mut self, input: &mut [u8], into: &mut ReadBuf<'_>) -> Result<(usize, bool), Error> {
        let UnbufferedStatus { mut discard, state } = self.tls.process_tls_records(input);
        let mut waits = false;
        match state? {
            ConnectionState::ReadTraffic(mut traffic) => {
                while let Some(record) = traffic.next_record() {
                    let record = record?;
                    discard += record.discard;
                    let (fits, rest) = record.payload.split_at(record.payload.len().min(into.remaining()));
                    into.put_slice(fits);
                    self.plaintext.extend(rest);
                }
            }
            ConnectionState::EncodeTlsData(data) => encode(data, &mut self.unsent),
            ConnectionState::TransmitTlsData(data) => data.done(),
            ConnectionState::PeerClosed => self.input_closed = true,
            ConnectionState::WriteTraffic(_) | ConnectionState::BlockedHandshake | ConnectionState::Closed => {
                waits = true
            }
            // Early data is not enabled.
            state => return Err(unexpected(&state)),
        }
        Ok((discard, waits))
    }

    /// Records a fatal error, and queues its alert if there is one.
    fn fail(&mut self, error: Error) {
        self.queue_alert();
        self.incomplete = Vec::new();
        self.failed = Some(Box::new(error));
    }

    /// Fetches alerts from rustls. While it has some, it does not look at the input, so none needs to be passed.
    fn queue_alert(&mut self) {
        while self.tls.wants_write() {
            match self.tls.process_tls_records(&mut []).state {
                Ok(ConnectionState::EncodeTlsData(data)) => encode(data, &mut self.unsent),
                _ => break,
            }
        }
    }

    /// Delivers plaintext left over from earlier reads; whether there was any.
    pub fn take_plaintext(&mut self, into: &mut ReadBuf<'_>) -> bool {
        let had_some = !self.plaintext.is_empty();
        while !self.plaintext.is_empty() && into.remaining() > 0 {
            let (front, _) = self.plaintext.as_slices();
            let length = front.len().min(into.remaining());
            into.put_slice(&front[..length]);
            consume(&mut self.plaintext, length);
        }
        had_some
    }

    /// Encrypts output of at most [`PLAINTEXT_MAX`] bytes; returns the length of the ciphertext. rustls prepends a key
    /// update if the client has requested one (RFC 8446 section 4.6.3).
    pub fn encrypt(&mut self, plaintext: &[u8], into: &mut Vec<u8>) -> io::Result<usize> {
        self.check()?;
        if self.output_closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.encrypt_record(plaintext, into).map_err(|error| {
            self.fail(error.clone());
            io::Error::new(io::ErrorKind::InvalidData, error)
        })
    }

    fn encrypt_record(&mut self, plaintext: &[u8], into: &mut Vec<u8>) -> Result<usize, Error> {
        let UnbufferedStatus { discard, state } = self.tls.process_tls_records(&mut self.incomplete);
        debug_assert_eq!(discard, 0, "complete records are processed when they are received");
        let mut traffic = match state? {
            ConnectionState::WriteTraffic(traffic) => traffic,
            state => return Err(unexpected(&state)),
        };
        loop {
            match traffic.encrypt(plaintext, into) {
                Ok(length) => return Ok(length),
                Err(EncryptError::InsufficientSize(InsufficientSizeError { required_size })) => {
                    into.resize(required_size, 0)
                }
                // TLS 1.2 has no key updates, so the connection ends after 2^24 records.
                Err(EncryptError::EncryptExhausted) => return Err(Error::EncryptError),
            }
        }
    }

    /// Queues `close_notify`, once. After a fatal error an alert has ended the connection (RFC 8446 section 6.2).
    pub fn close_output(&mut self) {
        if self.output_closed || self.failed.is_some() {
            return;
        }
        self.output_closed = true;
        if let Ok(ConnectionState::WriteTraffic(mut traffic)) = self.tls.process_tls_records(&mut self.incomplete).state
        {
            // rustls queues it although it does not fit.
            let _ = traffic.queue_close_notify(&mut []);
        }
        self.queue_alert();
        self.incomplete = Vec::new();
    }

    pub fn unsent(&self) -> &[u8] {
        self.unsent.as_slices().0
    }

    pub fn keep_unsent(&mut self, ciphertext: &[u8]) {
        self.unsent.extend(ciphertext);
    }

    /// The socket has taken this much of [`unsent`](Self::unsent).
    pub fn sent(&mut self, length: usize) {
        consume(&mut self.unsent, length);
    }
}

fn unexpected<D>(state: &ConnectionState<'_, '_, D>) -> Error {
    Error::General(format!("unexpected state: {state:?}"))
}

fn consume(buffer: &mut VecDeque<u8>, length: usize) {
    buffer.drain(..length);
    if buffer.is_empty() {
        *buffer = VecDeque::new();
    }
}

fn encode<D>(mut data: EncodeTlsData<'_, D>, into: &mut VecDeque<u8>) {
    let mut message = Vec::new();
    while let Err(EncodeError::InsufficientSize(InsufficientSizeError { required_size })) = data.encode(&mut message) {
        message.resize(required_size, 0);
    }
    into.extend(message);
}

#[cfg(test)]
impl Session {
    pub fn is_output_closed(&self) -> bool {
        self.output_closed
    }

    pub fn buffer_capacities(&self) -> [usize; 3] {
        [self.incomplete.capacity(), self.plaintext.capacity(), self.unsent.capacity()]
    }
}
