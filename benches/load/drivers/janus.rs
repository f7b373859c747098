//! Janus over its HTTP transport: a session with a handle on the Lua plugin, in which `janus/relay.lua` forwards messages.

use std::io::Write;

use super::{Driver, Seat, Together, between, succeeded};
use crate::wire::{Answer, Request};

#[derive(Debug)]
pub struct Janus;

/// Writes a request to a path: `/janus`, a session below it, or a handle below that.
fn ask(place: &str, kind: &str, more: &str, request: &mut Request) {
    request.start("POST");
    request.path.push_str(place);
    request.header("content-type", "application/json");
    // Writing to memory cannot fail.
    let _ = write!(request.body, r#"{{"janus":"{kind}","transaction":"t"{more}}}"#);
}

fn session(seat: &Seat) -> &str {
    seat.pass.rsplit_once('/').map_or("", |(session, _)| session)
}

impl Driver for Janus {
    /// The script forwards messages unchanged, so a client may pack several into one.
    fn together(&self) -> Together {
        Together::SameReceiver
    }

    fn enter(&self, seat: &mut Seat, last: Option<&Answer>, request: &mut Request) -> Result<bool, String> {
        if let Some(answer) = last {
            succeeded(answer)?;
            between(answer, r#""janus":"success"#, b'"')?;
        }
        match (seat.step, last) {
            (1 | 2, Some(answer)) => {
                seat.pass.push('/');
                seat.pass.push_str(between(answer, r#""data":{"id":"#, b'}')?);
            }
            (0, _) => seat.pass.push_str("/janus"),
            _ => return Ok(false),
        }
        match seat.step {
            0 => ask(&seat.pass, "create", "", request),
            1 => ask(&seat.pass, "attach", r#","plugin":"janus.plugin.lua""#, request),
            _ => {
                seat.id.clone_from(&seat.name);
                ask(&seat.pass, "message", &format!(r#","body":{{"join":"{}"}}"#, seat.id), request);
            }
        }
        seat.step += 1;
        Ok(true)
    }

    fn post(&self, from: &Seat, mail: &[(&Seat, &[u8])], request: &mut Request) {
        let Some((to, _)) = mail.first() else { return };
        ask(&from.pass, "message", r#","body":{"to":""#, request);
        request.body.pop();
        request.body.extend_from_slice(to.id.as_bytes());
        request.body.extend_from_slice(br#"","messages":["#);
        for (index, (_, message)) in mail.iter().enumerate() {
            let comma: &[u8] = if index > 0 { b"," } else { b"" };
            request.body.extend_from_slice(comma);
            request.body.extend_from_slice(message);
        }
        request.body.extend_from_slice(b"]}}");
    }

    /// Requests as many events at a time as `janus.js` does.
    fn poll(&self, seat: &Seat, request: &mut Request) {
        request.start("GET");
        request.path.push_str(session(seat));
        request.path.push_str("?maxev=10");
    }

    fn polled(&self, _: &mut Seat, answer: &Answer, _: &mut Request) -> Result<bool, String> {
        succeeded(answer).map(|()| false)
    }

    /// Detaches the handle, which ends the poll. Destroying the session would leave the poll parked until it times out.
    fn leave(&self, seat: &Seat, request: &mut Request) {
        ask(&seat.pass, "detach", "", request);
    }
}
