//! Sends the responses of a connection's exchanges, each a piece at a time.

use std::task::{Context, Poll};

use actix_http::header::{CONNECTION, CONTENT_LENGTH, DATE, HeaderMap, HeaderName, TRANSFER_ENCODING, UPGRADE};
use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    http::StatusCode,
};

use crate::transport::{
    Overload, Response, Service,
    http2::{
        Http2, OUT_MAX,
        exchange::{Exchange, Outgoing, Stage, has_body},
        frame_budget::{RESPONSE, RESPONSE_PIECE},
        frames::ErrorCode,
    },
};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
/// The largest part of a response that is sent before others get their turn.
const PIECE_MAX: usize = 16 * 1024;

enum Progress {
    /// Some bytes were sent, and more may be.
    Sent,
    /// It waits: for the operation, for its body, or for a window.
    Waits,
    Done,
}

impl<S: Service> Http2<S> {
    /// Begins responses that are ready, and sends what windows and the output have room for.
    pub(super) fn advance(&mut self, context: &mut Context<'_>, out: &mut Vec<u8>) {
        self.release_bodies(context, out);
        self.for_each_exchange(|this, exchange| this.answer(exchange, context, out));
        let mut has_sent = true;
        while has_sent && out.len() < OUT_MAX {
            has_sent = false;
            self.for_each_exchange(|this, exchange| {
                let progress = this.send_piece(exchange, context, out);
                has_sent |= matches!(progress, Progress::Sent);
                progress
            });
        }
        if self.exchanges.is_empty() {
            self.exchanges = Vec::new();
        }
    }

    /// Removes those that are done.
    fn for_each_exchange(&mut self, mut advance: impl FnMut(&mut Self, &mut Exchange) -> Progress) {
        let mut exchanges = std::mem::take(&mut self.exchanges);
        exchanges.retain_mut(|exchange| {
            let is_done = matches!(advance(self, exchange), Progress::Done);
            if is_done {
                self.unflushed.extend(exchange.in_flight.take());
            }
            !is_done
        });
        self.exchanges = exchanges;
    }

    fn release_bodies(&mut self, context: &Context<'_>, out: &mut Vec<u8>) {
        for exchange in &mut self.exchanges {
            if let Some((bytes, earned)) = exchange.incoming.released(context) {
                self.connection.earn(earned);
                self.protocol.release(exchange.stream, bytes, out);
            }
        }
    }

    /// Sends the head of a response that is ready.
    fn answer(&mut self, exchange: &mut Exchange, context: &mut Context<'_>, out: &mut Vec<u8>) -> Progress {
        let Stage::Answering(work) = &mut exchange.stage else { return Progress::Waits };
        let Poll::Ready(mut response) = work.as_mut().poll(context) else {
            if exchange.incoming.take_continue() {
                // RFC 9110 section 10.1.1.
                self.protocol.send_head(exchange.stream, 100, [], false, out);
            }
            return Progress::Waits;
        };
        let size = response.body_len();
        if exchange.in_flight.as_mut().is_some_and(|in_flight| !in_flight.response_ready(size)) {
            response = response.replaced_by(self.worker.service.refuse(Overload::Memory, None));
        }
        self.connection.earn(RESPONSE);
        self.is_leaving |= response.closes_connection();
        let outgoing = match response.as_text().map(str::len) {
            Some(length) => {
                let has_body = length > 0 && !exchange.is_head;
                self.send_text_head(exchange.stream, &response, length, !has_body, out);
                has_body.then(|| Outgoing::text(response))
            }
            None => self.send_actix_head(exchange, response, out).map(Outgoing::body),
        };
        match outgoing {
            Some(outgoing) => {
                exchange.stage = Stage::Sending(outgoing);
                Progress::Waits
            }
            None => Progress::Done,
        }
    }

    fn send_text_head(&mut self, stream: u32, response: &Response, length: usize, end: bool, out: &mut Vec<u8>) {
        let (mut number, date) = (itoa::Buffer::new(), self.worker.date());
        let length = (response.status() != StatusCode::NO_CONTENT).then(|| ("content-length", number.format(length)));
        let fields = length.into_iter().chain(response.fields()).chain([("date", &*date)]);
        let fields = fields.map(|(name, value)| (name, value.as_bytes()));
        self.protocol.send_head(stream, response.status().as_u16(), fields, end, out);
    }

    /// Sends the head of a response made by actix-web; returns the body to be sent.
    fn send_actix_head(&mut self, exchange: &Exchange, response: Response, out: &mut Vec<u8>) -> Option<BoxBody> {
        let (head, body) = response.into_actix().into_parts();
        let (mut number, date) = (itoa::Buffer::new(), self.worker.date());
        // What has not changed has a length that is not 0 (RFC 9110 section 8.6).
        let length = match body.size() {
            BodySize::Sized(length) if !matches!(head.status(), StatusCode::NOT_MODIFIED | StatusCode::NO_CONTENT) => {
                Some(number.format(length))
            }
            _ => None,
        };
        let length = length.map(|length| ("content-length", length.as_bytes()));
        let fields = length.into_iter().chain(end_to_end(head.headers())).chain([("date", date.as_bytes())]);
        let ends = exchange.is_head || head.status() == StatusCode::NOT_MODIFIED || !has_body(&body);
        self.protocol.send_head(exchange.stream, head.status().as_u16(), fields, ends, out);
        (!ends).then_some(body)
    }

    fn send_piece(&mut self, exchange: &mut Exchange, context: &mut Context<'_>, out: &mut Vec<u8>) -> Progress {
        let Stage::Sending(outgoing) = &mut exchange.stage else { return Progress::Waits };
        if out.len() >= OUT_MAX {
            return Progress::Waits;
        }
        let (bytes, is_last) = match outgoing.poll_next(context) {
            Poll::Pending => return Progress::Waits,
            Poll::Ready(Ok(next)) => next,
            Poll::Ready(Err(())) => {
                self.protocol.reset(exchange.stream, ErrorCode::Internal, out);
                return Progress::Done;
            }
        };
        let piece = bytes.get(..PIECE_MAX).unwrap_or(bytes);
        let ends = is_last && piece.len() == bytes.len();
        let sent = self.protocol.send_data(exchange.stream, piece, ends, out);
        if ends && sent == piece.len() {
            return Progress::Done;
        }
        if sent == 0 {
            return Progress::Waits;
        }
        // The more it carries, or a client would earn by opening its window byte by byte.
        self.connection.earn(RESPONSE_PIECE.min(sent / 4));
        outgoing.advance(sent);
        Progress::Sent
    }
}

/// The fields that are not about the connection (RFC 9113 section 8.2.2), nor written by the connection itself.
fn end_to_end(headers: &HeaderMap) -> impl Iterator<Item = (&str, &[u8])> {
    let ours = [CONNECTION, KEEP_ALIVE, TRANSFER_ENCODING, UPGRADE, CONTENT_LENGTH, DATE];
    let fields = headers.iter().filter(move |(name, _)| !ours.contains(name));
    fields.map(|(name, value)| (name.as_str(), value.as_bytes()))
}
