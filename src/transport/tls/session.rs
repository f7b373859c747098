//! What TLS makes of one connection's bytes. Does no I/O.

use std::{collections::VecDeque, io, sync::Arc};

use rustls::{
    Error, InvalidMessage, ServerConfig,
    server::UnbufferedServerConnection,
    unbuffered::{ConnectionState, EncodeError, EncodeTlsData, EncryptError, InsufficientSizeError, UnbufferedStatus},
};
use tokio::io::ReadBuf;

/// The longest record rustls accepts, with its header (RFC 5246 section 6.2.3).
pub const RECORD_MAX: usize = 5 + 16 * 1024 + 2048;
/// The plaintext of one record (RFC 8446 section 5.1).
pub const PLAINTEXT_MAX: usize = 16 * 1024;
/// What the records of one handshake message may take until it is complete. rustls' buffered API has the same limit.
const INCOMPLETE_MAX: usize = 64 * 1024 - 1;
/// Read at least, also while a long handshake message is incomplete.
const READ_MIN: usize = 4 * 1024;

/// The TLS state of a connection. Its buffers have no capacity while they are empty.
pub struct Session {
    tls: UnbufferedServerConnection,
    /// Part of a record, or records of an incomplete handshake message. rustls remembers how far it has read and what it
    /// has decrypted in place, so it must be shown the same bytes again, also when nothing but a write is wanted.
    incomplete: Vec<u8>,
    /// What the reader had no room for.
    plaintext: VecDeque<u8>,
    /// Ciphertext that the socket has not taken.
    unsent: VecDeque<u8>,
    /// Why nothing can be read or written any more.
    failed: Option<Box<Error>>,
    /// The client has sent `close_notify`.
    input_closed: bool,
    /// We have.
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

    /// Whether no further plaintext will be received.
    pub fn is_input_closed(&self) -> bool {
        self.input_closed
    }

    pub fn check(&self) -> io::Result<()> {
        match &self.failed {
            Some(error) => Err(io::Error::new(io::ErrorKind::InvalidData, (**error).clone())),
            None => Ok(()),
        }
    }

    /// What must precede new input in the buffer given to [`receive`](Self::receive).
    pub fn incomplete(&self) -> &[u8] {
        &self.incomplete
    }

    /// The size of a buffer for reading.
    pub fn read_size(&self) -> usize {
        RECORD_MAX.max(self.incomplete.len() + READ_MIN)
    }

    /// Processes all complete records of the input, and keeps the rest. An error is reported by [`check`](Self::check), so
    /// that the plaintext before it is not lost.
    pub fn receive(&mut self, input: &mut [u8], into: &mut ReadBuf<'_>) {
        // A fatal alert after `close_notify` would violate an assertion of rustls. An HTTP server has no use for the input.
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

    /// The client has closed the connection. Without `close_notify` that is an error, unless the input was only discarded.
    pub fn end_input(&mut self) -> io::Result<()> {
        self.input_closed = self.output_closed;
        if self.input_closed { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Handles one state of rustls. Returns how many bytes must be discarded, and whether it waits for more.
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
            // Early data, which a server must allow explicitly.
            state => return Err(unexpected(&state)),
        }
        Ok((discard, waits))
    }

    /// Queues the alert, if there is one. rustls is not used again.
    fn fail(&mut self, error: Error) {
        self.queue_alert();
        self.incomplete = Vec::new();
        self.failed = Some(Box::new(error));
    }

    /// Takes an alert from rustls. Without one this would show it an empty input, which it may not expect: hence the check.
    fn queue_alert(&mut self) {
        while self.tls.wants_write() {
            match self.tls.process_tls_records(&mut []).state {
                Ok(ConnectionState::EncodeTlsData(data)) => encode(data, &mut self.unsent),
                _ => break,
            }
        }
    }

    /// Moves plaintext that was left over to the reader; whether there was any.
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

    /// Encrypts at most [`PLAINTEXT_MAX`] bytes; returns the length of the record. A key update that the client has requested
    /// precedes it, which is soon enough (RFC 8446 section 4.6.3).
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
                // Only TLS 1.2, which has no key updates, after 2^24 records.
                Err(EncryptError::EncryptExhausted) => return Err(Error::EncryptError),
            }
        }
    }

    /// Queues `close_notify`, once. After a failure the client has been told by an alert, or does not listen.
    pub fn close_output(&mut self) {
        if self.output_closed || self.failed.is_some() {
            return;
        }
        self.output_closed = true;
        if let Ok(ConnectionState::WriteTraffic(mut traffic)) = self.tls.process_tls_records(&mut self.incomplete).state
        {
            // Queued by rustls, although it does not fit.
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
