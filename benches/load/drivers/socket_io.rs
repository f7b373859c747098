//! Socket.IO over polling (Engine.IO protocol 4, Socket.IO protocol 5): text packets, joined by the record separator.

use super::{Driver, Seat, Together, between, succeeded};
use crate::wire::{Answer, Request};

#[derive(Debug)]
pub struct SocketIo;

const SEPARATOR: u8 = 0x1e;

fn ask(method: &'static str, seat: &Seat, request: &mut Request) {
    request.start(method);
    request.path.push_str("/socket.io/?EIO=4&transport=polling");
    request.path.push_str(&seat.pass);
    if method == "POST" {
        request.header("content-type", "text/plain;charset=UTF-8");
    }
}

impl Driver for SocketIo {
    fn together(&self) -> Together {
        Together::Any(usize::MAX)
    }

    /// Opens an Engine.IO session, connects to its namespace, reads its own id, and joins the room.
    fn enter(&self, seat: &mut Seat, last: Option<&Answer>, request: &mut Request) -> Result<bool, String> {
        if let Some(answer) = last {
            succeeded(answer)?;
            match seat.step {
                1 => seat.pass = format!("&sid={}", between(answer, r#""sid":""#, b'"')?),
                3 => seat.id = between(answer, r#""sid":""#, b'"')?.to_owned(),
                _ => {}
            }
        }
        match seat.step {
            0 | 2 => ask("GET", seat, request),
            1 => {
                ask("POST", seat, request);
                request.body.extend_from_slice(b"40");
            }
            3 => {
                ask("POST", seat, request);
                request.body.extend(format!(r#"42["join","{}"]"#, seat.room).bytes());
            }
            _ => return Ok(false),
        }
        seat.step += 1;
        Ok(true)
    }

    fn post(&self, from: &Seat, mail: &[(&Seat, &[u8])], request: &mut Request) {
        ask("POST", from, request);
        for (index, (to, message)) in mail.iter().enumerate() {
            if index > 0 {
                request.body.push(SEPARATOR);
            }
            for part in [br#"42["signal",""#, to.id.as_bytes(), br#"","#, message, b"]"] {
                request.body.extend_from_slice(part);
            }
        }
    }

    fn poll(&self, seat: &Seat, request: &mut Request) {
        ask("GET", seat, request);
    }

    /// Answers a ping with a pong.
    fn polled(&self, seat: &mut Seat, answer: &Answer, request: &mut Request) -> Result<bool, String> {
        succeeded(answer)?;
        let pinged = answer.body().split(|byte| *byte == SEPARATOR).any(|packet| packet == b"2");
        if pinged {
            ask("POST", seat, request);
            request.body.push(b'3');
        }
        Ok(pinged)
    }

    fn leave(&self, seat: &Seat, request: &mut Request) {
        ask("POST", seat, request);
        request.body.push(b'1');
    }
}
