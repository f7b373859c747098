//! Hand-written HTTP/1.1 on many sockets and one thread, so that the generator costs less than any server it drives.

use std::{
    collections::VecDeque,
    io::{ErrorKind, Read, Write},
    net::SocketAddr,
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token};
use rustls::ClientConfig;

use crate::socket::Socket;

/// A request, in parts that HTTP/2 can use, too. Its buffers are reused.
#[derive(Debug, Default)]
pub struct Request {
    pub method: &'static str,
    pub path: String,
    /// Header lines, each with its line end.
    pub head: String,
    pub body: Vec<u8>,
}

#[derive(Debug)]
pub struct Answer {
    pub connection: usize,
    pub status: u16,
    bytes: Vec<u8>,
    head: usize,
    body: Range<usize>,
}

/// Many connections to one server.
pub struct Wire {
    /// Connections are distributed over these.
    addrs: Vec<SocketAddr>,
    tls: Option<Arc<ClientConfig>>,
    poll: Poll,
    events: Events,
    ready: VecDeque<(usize, bool, bool)>,
    connections: Vec<Connection>,
    encoded: Vec<u8>,
    /// The read buffer; lent out with an answer.
    buffer: Vec<u8>,
    pub requests: u64,
    /// Whether it sleeps while it waits. If not, it is exact to microseconds instead of milliseconds, and no server pays for
    /// waking it.
    pub sleeps: bool,
}

struct Connection {
    stream: Socket,
    unsent: Vec<u8>,
    /// The beginning of an incomplete answer.
    partial: Vec<u8>,
    asking: bool,
}

const BUFFER: usize = 64 * 1024;

impl Request {
    pub fn start(&mut self, method: &'static str) {
        self.method = method;
        self.path.clear();
        self.head.clear();
        self.body.clear();
    }

    pub fn header(&mut self, name: &str, value: &str) {
        for part in [name, ": ", value, "\r\n"] {
            self.head.push_str(part);
        }
    }

    fn encode(&self, out: &mut Vec<u8>) -> std::io::Result<()> {
        out.clear();
        write!(out, "{} {} HTTP/1.1\r\nhost: localhost\r\n{}", self.method, self.path, self.head)?;
        if self.method != "GET" {
            write!(out, "content-length: {}\r\n", self.body.len())?;
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.body);
        Ok(())
    }
}

impl Answer {
    /// An answer from another transport: header lines up to `head`, then the body.
    pub fn new(status: u16, bytes: Vec<u8>, head: usize) -> Self {
        Self { connection: 0, status, head, body: head..bytes.len(), bytes }
    }

    pub fn body(&self) -> &[u8] {
        &self.bytes[self.body.clone()]
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.bytes[..self.head], name)
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The beginning of the body, for error messages.
    pub fn glance(&self) -> String {
        let body = String::from_utf8_lossy(&self.body()[..self.body().len().min(200)]).into_owned();
        format!("{} {body}", self.status)
    }
}

impl Wire {
    pub fn to(addr: SocketAddr) -> std::io::Result<Self> {
        Self::to_all(vec![addr])
    }

    pub fn to_all(addrs: Vec<SocketAddr>) -> std::io::Result<Self> {
        Ok(Self {
            addrs,
            tls: None,
            poll: Poll::new()?,
            events: Events::with_capacity(256),
            ready: VecDeque::new(),
            connections: Vec::new(),
            encoded: Vec::new(),
            buffer: vec![0; BUFFER],
            requests: 0,
            sleeps: true,
        })
    }

    /// Encrypts new connections.
    pub fn encrypted(self, tls: Arc<ClientConfig>) -> Self {
        Self { tls: Some(tls), ..self }
    }

    pub fn connect(&mut self) -> std::io::Result<usize> {
        // Scattered, so that one peer's connections may go to different servers.
        let spread = (self.connections.len() as u32).wrapping_mul(0x9e37_79b1) >> 16;
        let addr = self.addrs[spread as usize % self.addrs.len()];
        let mut stream = Socket::connect(addr, self.tls.as_ref())?;
        let number = self.connections.len();
        self.poll.registry().register(stream.source(), Token(number), Interest::READABLE | Interest::WRITABLE)?;
        self.connections.push(Connection { stream, unsent: Vec::new(), partial: Vec::new(), asking: false });
        Ok(number)
    }

    /// Sends a request on a connection that has none in flight.
    pub fn ask(&mut self, number: usize, request: &Request) -> std::io::Result<()> {
        request.encode(&mut self.encoded)?;
        self.requests += 1;
        let connection = &mut self.connections[number];
        connection.asking = true;
        let sent = match connection.stream.write(&self.encoded) {
            Ok(sent) => sent,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(error) => return Err(error),
        };
        connection.unsent.extend_from_slice(&self.encoded[sent..]);
        Ok(())
    }

    /// The next answer, or `None` if there is none before `until`.
    pub fn next(&mut self, until: Instant) -> Result<Option<Answer>, String> {
        loop {
            while let Some((number, readable, writable)) = self.ready.pop_front() {
                if writable {
                    self.send_rest(number).map_err(|error| format!("connection {number}: {error}"))?;
                }
                if readable && let Some(answer) = self.read(number)? {
                    return Ok(Some(answer));
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let patience = if self.sleeps { left } else { Duration::ZERO };
            match self.poll.poll(&mut self.events, Some(patience)) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.to_string()),
                _ => {}
            }
            let seen = |event: &mio::event::Event| (event.token().0, event.is_readable(), event.is_writable());
            self.ready.extend(self.events.iter().map(seen));
        }
    }

    /// Takes back the buffer that was lent with an answer.
    pub fn done_with(&mut self, answer: Answer) {
        if answer.bytes.len() == BUFFER {
            self.buffer = answer.bytes;
        }
    }

    fn send_rest(&mut self, number: usize) -> std::io::Result<()> {
        let Connection { stream, unsent, .. } = &mut self.connections[number];
        while !unsent.is_empty() {
            match stream.write(unsent) {
                Ok(sent) => drop(unsent.drain(..sent)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        match stream.flush() {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => Ok(()),
        }
    }

    fn read(&mut self, number: usize) -> Result<Option<Answer>, String> {
        if self.buffer.is_empty() {
            self.buffer = vec![0; BUFFER];
        }
        let connection = &mut self.connections[number];
        loop {
            let count = match connection.stream.read(&mut self.buffer) {
                Ok(0) if connection.asking => {
                    return Err(format!("the server closed connection {number} with a request in flight"));
                }
                Ok(0) => return Ok(None),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(format!("connection {number}: {error}")),
            };
            let whole = connection.partial.is_empty();
            let so_far =
                if whole { &self.buffer[..count] } else { extended(&mut connection.partial, &self.buffer[..count]) };
            match parse(so_far)? {
                // A read that does not fill the buffer has drained the socket; further bytes cause another event.
                None => {
                    if whole {
                        connection.partial.extend_from_slice(&self.buffer[..count]);
                    }
                    if count < BUFFER && !connection.stream.is_encrypted() {
                        return Ok(None);
                    }
                }
                Some(Found { status, head, end, is_chunked }) => {
                    if !connection.asking || end != so_far.len() {
                        return Err(format!("connection {number}: unexpected bytes after the answer"));
                    }
                    connection.asking = false;
                    let source = if whole { &mut self.buffer } else { &mut connection.partial };
                    let mut bytes = std::mem::take(source);
                    let body = if is_chunked { head..join_chunks(&mut bytes, head) } else { head..end };
                    return Ok(Some(Answer { connection: number, status, bytes, head, body }));
                }
            }
        }
    }
}

fn extended<'a>(partial: &'a mut Vec<u8>, more: &[u8]) -> &'a [u8] {
    partial.extend_from_slice(more);
    partial
}

/// A complete answer: where its body begins and ends.
struct Found {
    status: u16,
    head: usize,
    end: usize,
    is_chunked: bool,
}

fn parse(bytes: &[u8]) -> Result<Option<Found>, String> {
    let Some(end_of_head) = memchr::memmem::find(bytes, b"\r\n\r\n") else { return Ok(None) };
    let head = &bytes[..end_of_head + 4];
    let status = bytes.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    let status: u16 = status.ok_or("the answer is not HTTP/1.1")?;
    let length = match header(head, "content-length") {
        Some(value) => value.parse().map_err(|_| format!("a Content-Length of {value}"))?,
        None if status == 204 => 0,
        None if header(head, "transfer-encoding") == Some("chunked") => {
            let end = end_of_chunks(bytes, head.len());
            return Ok(end.map(|end| Found { status, head: head.len(), end, is_chunked: true }));
        }
        None => return Err(format!("an answer ({status}) without Content-Length or chunks")),
    };
    let end = head.len() + length;
    Ok((bytes.len() >= end).then_some(Found { status, head: head.len(), end, is_chunked: false }))
}

/// The chunk whose size line is at a position, if it has arrived completely. The last chunk is empty.
fn chunk(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let start = at + memchr::memmem::find(&bytes[at..], b"\r\n")? + 2;
    let size = usize::from_str_radix(std::str::from_utf8(&bytes[at..start - 2]).ok()?, 16).ok()?;
    (bytes.len() >= start + size + 2).then_some(start..start + size)
}

fn end_of_chunks(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let chunk = chunk(bytes, at)?;
        at = chunk.end + 2;
        if chunk.is_empty() {
            return Some(at);
        }
    }
}

/// Joins the chunks into one contiguous body; returns where it ends.
fn join_chunks(bytes: &mut [u8], head: usize) -> usize {
    let (mut at, mut end) = (head, head);
    while let Some(chunk) = chunk(bytes, at).filter(|chunk| !chunk.is_empty()) {
        at = chunk.end + 2;
        let size = chunk.len();
        bytes.copy_within(chunk, end);
        end += size;
    }
    end
}

/// Tests that a chunked answer can be read byte by byte. The generator runs this before each run, because servers seldom
/// send more than one chunk.
pub fn check_the_chunks() -> Result<(), String> {
    let mut answer =
        *b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0\r\n\r\n67890\r\n0\r\n\r\n";
    for length in 0..answer.len() {
        if parse(&answer[..length])?.is_some() {
            return Err(format!("an answer cut off at byte {length} was taken for complete"));
        }
    }
    match parse(&answer)? {
        Some(Found { status: 200, head, end, is_chunked: true }) if end == answer.len() => {
            let end = join_chunks(&mut answer, head);
            if &answer[head..end] == b"abc0\r\n\r\n67890" { Ok(()) } else { Err("chunks were not joined".into()) }
        }
        _ => Err("a chunked answer was not read".into()),
    }
}

fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    let lines = memchr::memchr_iter(b'\n', head).map(|at| &head[at + 1..]);
    let line = lines.into_iter().find(|line| {
        line.len() > name.len() && line[name.len()] == b':' && line[..name.len()].eq_ignore_ascii_case(name.as_bytes())
    })?;
    let end = memchr::memchr(b'\r', line)?;
    std::str::from_utf8(&line[name.len() + 1..end]).ok().map(str::trim)
}
