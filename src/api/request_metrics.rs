//! What is seen of each request: how many are under way, what was refused, and a line at debug.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use actix_http::Response;
use actix_web::http::header::{HeaderName, HeaderValue};

use crate::{api::problem::Code, clock::Clock, transport::response::Answer};

const REQUEST_ID: &str = "x-request-id";

#[derive(Debug)]
pub struct Observed {
    in_flight: AtomicUsize,
    requests: AtomicU64,
    refusals: [AtomicU64; Code::ALL.len()],
}

/// One request that is being answered.
#[derive(Debug)]
pub struct UnderWay {
    observed: Arc<Observed>,
    number: u64,
    /// Method and path, if somebody reads the line.
    line: Option<(String, Clock)>,
}

impl Default for Observed {
    fn default() -> Self {
        let refusals = [const { AtomicU64::new(0) }; Code::ALL.len()];
        Self { in_flight: AtomicUsize::new(0), requests: AtomicU64::new(0), refusals }
    }
}

impl Observed {
    pub fn begin(self: &Arc<Self>, method: &str, path: &str) -> UnderWay {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let line = tracing::enabled!(tracing::Level::DEBUG).then(|| (format!("{method} {path}"), Clock::start()));
        UnderWay { observed: self.clone(), number, line }
    }

    /// Requests that are being answered now.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
    }

    pub fn refusals(&self) -> Vec<(&'static str, u64)> {
        let counts = self.refusals.iter().map(|count| count.load(Ordering::Relaxed));
        Code::ALL.iter().map(|code| code.row().slug).zip(counts).collect()
    }
}

impl UnderWay {
    /// Counts a refusal, and gives its answer the number by which it can be found in the log.
    pub fn end(self, answer: &mut Answer) {
        if answer.code.is_some() {
            answer.add(REQUEST_ID, self.number.to_string());
        }
        self.note(answer.status.as_u16(), answer.code);
    }

    /// The same of one that is actix's already.
    pub fn end_any<B>(self, answer: &mut Response<B>) {
        let code = answer.extensions().get::<Code>().copied();
        if code.is_some()
            && let Ok(number) = HeaderValue::from_str(&self.number.to_string())
        {
            answer.headers_mut().insert(HeaderName::from_static(REQUEST_ID), number);
        }
        self.note(answer.status().as_u16(), code);
    }

    fn note(&self, status: u16, code: Option<Code>) {
        if let Some(code) = code {
            self.observed.refusals[code as usize].fetch_add(1, Ordering::Relaxed);
        }
        if let Some((line, clock)) = &self.line {
            let problem = code.map_or("", |code| code.row().slug);
            tracing::debug!(request = self.number, status, ms = clock.now().millis(), problem, "{line}");
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.observed.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}
