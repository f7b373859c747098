//! nginx with nchan: a channel for each peer; `If-Modified-Since` and `If-None-Match` are a subscriber's cursor.

use super::{
    Driver, Seat, Together,
    relay::{ask, enter, post},
    succeeded,
};
use crate::wire::{Answer, Request};

#[derive(Debug)]
pub struct Nchan;

impl Driver for Nchan {
    fn together(&self) -> Together {
        Together::SameReceiver
    }

    fn enter(&self, seat: &mut Seat, last: Option<&Answer>, request: &mut Request) -> Result<bool, String> {
        enter("/pub/", seat, last, request)
    }

    fn post(&self, _: &Seat, mail: &[(&Seat, &[u8])], request: &mut Request) {
        post("/pub/", mail, request);
    }

    fn poll(&self, seat: &Seat, request: &mut Request) {
        ask("GET", "/sub/", seat, request);
        request.head.push_str(&seat.cursor);
    }

    fn polled(&self, seat: &mut Seat, answer: &Answer, _: &mut Request) -> Result<bool, String> {
        succeeded(answer)?;
        seat.cursor.clear();
        for (theirs, ours) in [("last-modified", "if-modified-since"), ("etag", "if-none-match")] {
            let value = answer.header(theirs).ok_or_else(|| format!("no {theirs}: {}", answer.glance()))?;
            for part in [ours, ": ", value, "\r\n"] {
                seat.cursor.push_str(part);
            }
        }
        Ok(false)
    }

    fn leave(&self, seat: &Seat, request: &mut Request) {
        ask("DELETE", "/pub/", seat, request);
    }
}
