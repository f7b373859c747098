//! Prosody over BOSH (XEP-0124, XEP-0206): stanzas in a body. Body numbers increase across both connections of a session.
//!
//! XML escapes nothing between a stamp and the end of its text, so messages are found in answers without unescaping.

use std::io::Write;

use super::{Driver, Seat, Together, between, succeeded};
use crate::wire::{Answer, Request};

#[derive(Debug)]
pub struct Prosody;

const OPEN: &str = " to='localhost' wait='25' hold='1' ver='1.6' xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0'/>";
const AUTH: &str = "><auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/></body>";
const RESTART: &str = " xmlns:xmpp='urn:xmpp:xbosh' xmpp:restart='true'/>";
const BIND: &str =
    "><iq xmlns='jabber:client' type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq></body>";

/// Starts a body with its number and session; `rest` continues after these attributes.
fn ask(seat: &Seat, rest: &str, request: &mut Request) {
    let number = seat.asked.get() + 1;
    seat.asked.set(number);
    request.start("POST");
    request.path.push_str("/http-bind");
    request.header("content-type", "text/xml; charset=utf-8");
    let body = &mut request.body;
    // Writing to memory cannot fail.
    let _ = write!(body, "<body xmlns='http://jabber.org/protocol/httpbind' rid='{number}'{}{rest}", seat.pass);
}

fn escape(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            byte => out.push(*byte),
        }
    }
}

impl Driver for Prosody {
    fn together(&self) -> Together {
        Together::Any(usize::MAX)
    }

    fn every_request_waits(&self) -> bool {
        true
    }

    /// Opens a session, logs in anonymously, restarts the stream, and gets an address.
    fn enter(&self, seat: &mut Seat, last: Option<&Answer>, request: &mut Request) -> Result<bool, String> {
        if let Some(answer) = last {
            succeeded(answer)?;
            match seat.step {
                1 => seat.pass = format!(" sid='{}'", between(answer, " sid='", b'\'')?),
                2 => drop(between(answer, "<success ", b'>')?),
                3 => drop(between(answer, "<bind ", b'>')?),
                _ => seat.id = between(answer, "<jid>", b'<')?.to_owned(),
            }
        }
        let Some(next) = [OPEN, AUTH, RESTART, BIND].get(seat.step) else { return Ok(false) };
        ask(seat, next, request);
        seat.step += 1;
        Ok(true)
    }

    fn post(&self, from: &Seat, mail: &[(&Seat, &[u8])], request: &mut Request) {
        ask(from, ">", request);
        for (to, message) in mail {
            let _ = write!(request.body, "<message xmlns='jabber:client' type='chat' to='{}'><body>", to.id);
            escape(message, &mut request.body);
            request.body.extend_from_slice(b"</body></message>");
        }
        request.body.extend_from_slice(b"</body>");
    }

    fn poll(&self, seat: &Seat, request: &mut Request) {
        ask(seat, "/>", request);
    }

    /// Prosody answers refused stanzas with status 200, too.
    fn polled(&self, _: &mut Seat, answer: &Answer, _: &mut Request) -> Result<bool, String> {
        succeeded(answer)?;
        let refused = ["type='terminate'", "type='error'"]
            .iter()
            .any(|mark| memchr::memmem::find(answer.body(), mark.as_bytes()).is_some());
        if refused { Err(format!("refused: {}", answer.glance())) } else { Ok(false) }
    }

    fn leave(&self, seat: &Seat, request: &mut Request) {
        ask(seat, " type='terminate'/>", request);
    }
}
