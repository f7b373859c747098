//! What is seen of each request: how many are under way, what was refused, and a line at debug.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use crate::{api::problem::Code, clock::Clock, transport::Response};

const REQUEST_ID: &str = "x-request-id";

#[derive(Debug)]
pub struct RequestMetrics {
    in_flight: AtomicUsize,
    requests: AtomicU64,
    refusals: [AtomicU64; Code::ALL.len()],
}

/// One request that is being answered.
#[derive(Debug)]
pub struct InFlightRequest {
    request_metrics: Arc<RequestMetrics>,
    number: u64,
    /// Method and path, if somebody reads the line.
    line: Option<(String, Clock)>,
}

impl Default for RequestMetrics {
    fn default() -> Self {
        let refusals = [const { AtomicU64::new(0) }; Code::ALL.len()];
        Self { in_flight: AtomicUsize::new(0), requests: AtomicU64::new(0), refusals }
    }
}

impl RequestMetrics {
    pub fn begin(self: &Arc<Self>, method: &str, path: &str) -> InFlightRequest {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let line = tracing::enabled!(tracing::Level::DEBUG).then(|| (format!("{method} {path}"), Clock::start()));
        InFlightRequest { request_metrics: self.clone(), number, line }
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

impl InFlightRequest {
    /// Counts a refusal, and gives its response the number by which it can be found in the log.
    pub fn end(self, response: &mut Response, code: Option<Code>) {
        if code.is_some() {
            response.add(REQUEST_ID, self.number.to_string());
        }
        self.note(response.status().as_u16(), code);
    }

    fn note(&self, status: u16, code: Option<Code>) {
        if let Some(code) = code {
            self.request_metrics.refusals[code as usize].fetch_add(1, Ordering::Relaxed);
        }
        if let Some((line, clock)) = &self.line {
            let problem = code.map_or("", |code| code.row().slug);
            tracing::debug!(request = self.number, status, ms = clock.now().millis(), problem, "{line}");
        }
    }
}

impl Drop for InFlightRequest {
    fn drop(&mut self) {
        self.request_metrics.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}
