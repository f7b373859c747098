//! Signalpost, through its API.

use std::{
    fmt::Write,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{Driver, Seat, Together, between, succeeded};
use crate::wire::{Answer, Request};

#[derive(Debug, Default)]
pub struct Signalpost {
    /// Sends all headers and parameters that `web/client` sends, such as idempotency keys and the page.
    like_our_client: bool,
    /// Sent with every request, as a browser does for a page on another origin.
    origin: Option<&'static str>,
    keys: AtomicU64,
}

const JSON: &str = "application/json";
/// `BATCH_MESSAGES` in `web/client/wire/outbox.js`.
const BATCH_MESSAGES: usize = 50;

impl Signalpost {
    pub fn new(like_our_client: bool, origin: Option<&'static str>) -> Self {
        Self { like_our_client, origin, ..Self::default() }
    }

    fn start(&self, method: &'static str, seat: &Seat, request: &mut Request) {
        request.start(method);
        request.path.push_str("/v1/rooms/");
        request.path.push_str(&seat.room);
        request.head.push_str(&seat.pass);
        if self.like_our_client {
            request.header("accept", JSON);
        }
        if let Some(origin) = self.origin {
            request.header("origin", origin);
        }
    }

    fn key(&self, request: &mut Request) {
        if self.like_our_client {
            let number = self.keys.fetch_add(1, Ordering::Relaxed);
            let _ = write!(request.head, "idempotency-key: 7d9f0f5e-3f0e-4f57-b8a4-{number:012x}\r\n");
        }
    }
}

impl Driver for Signalpost {
    fn together(&self) -> Together {
        Together::Any(BATCH_MESSAGES)
    }

    fn enter(&self, seat: &mut Seat, last: Option<&Answer>, request: &mut Request) -> Result<bool, String> {
        let Some(joined) = last else {
            self.start("POST", seat, request);
            request.path.push_str("/peers");
            request.header("content-type", JSON);
            self.key(request);
            let page = if self.like_our_client { r#","page":"k3v9x0ab""# } else { "" };
            let Seat { name, capacity, .. } = seat;
            request.body.extend(format!(r#"{{"name":"{name}","capacity":{capacity}{page}}}"#).bytes());
            return Ok(true);
        };
        succeeded(joined)?;
        seat.id = between(joined, r#""peer":{"id":""#, b'"')?.to_owned();
        seat.pass = format!("authorization: Bearer {}\r\n", between(joined, r#""token":""#, b'"')?);
        seat.cursor = format!("last-event-id: {}\r\n", between(joined, r#""cursor":"#, b',')?);
        Ok(false)
    }

    fn post(&self, from: &Seat, mail: &[(&Seat, &[u8])], request: &mut Request) {
        self.start("POST", from, request);
        request.header("content-type", JSON);
        self.key(request);
        if let [(to, message)] = mail
            && !self.like_our_client
        {
            for part in ["/peers/", &to.id, "/messages"] {
                request.path.push_str(part);
            }
            request.body.extend_from_slice(message);
            return;
        }
        request.path.push_str("/messages");
        request.body.extend_from_slice(br#"{"messages":["#);
        for (index, (to, message)) in mail.iter().enumerate() {
            let comma: &[u8] = if index > 0 { b"," } else { b"" };
            for part in [comma, br#"{"to":""#, to.id.as_bytes(), br#"","#, &message[1..]] {
                request.body.extend_from_slice(part);
            }
        }
        request.body.extend_from_slice(b"]}");
    }

    fn poll(&self, seat: &Seat, request: &mut Request) {
        self.start("GET", seat, request);
        let page = if self.like_our_client { "&page=k3v9x0ab" } else { "" };
        for part in ["/peers/", &seat.id, "/messages?wait=25", page] {
            request.path.push_str(part);
        }
        request.head.push_str(&seat.cursor);
    }

    fn polled(&self, seat: &mut Seat, answer: &Answer, _: &mut Request) -> Result<bool, String> {
        succeeded(answer)?;
        let body = answer.body();
        let digits = memchr::memrchr(b':', body).and_then(|at| body.get(at + 1..body.len() - 1));
        let cursor = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let cursor = cursor.ok_or_else(|| format!("a batch without a cursor: {}", answer.glance()))?;
        seat.cursor.clear();
        let _ = write!(seat.cursor, "last-event-id: {cursor}\r\n");
        Ok(false)
    }

    fn leave(&self, seat: &Seat, request: &mut Request) {
        self.start("DELETE", seat, request);
        request.path.push_str("/peers/");
        request.path.push_str(&seat.id);
    }
}
