//! Counts requests and refusals, and logs each request at debug.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use crate::{api::Code, clock::Clock, transport::Response};

const REQUEST_ID: &str = "x-request-id";

#[derive(Debug)]
pub struct RequestMetrics {
    in_flight: AtomicUsize,
    requests: AtomicU64,
    refusals: [AtomicU64; Code::ALL.len()],
}

/// Counts a request as in flight until dropped.
#[derive(Debug)]
pub struct InFlightRequest {
    metrics: Arc<RequestMetrics>,
    number: u64,
    /// Method and path, if the log level is debug.
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
        InFlightRequest { metrics: self.clone(), number, line }
    }

    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
    }

    pub fn refusals(&self) -> Vec<(&'static str, u64)> {
        let counts = self.refusals.iter().map(|count| count.load(Ordering::Relaxed));
        Code::ALL.iter().map(|code| code.row().slug).zip(counts).collect()
    }
}

impl InFlightRequest {
    /// Counts a refusal and adds the request's number to its response, by which the log line can be found.
    pub fn end(self, response: &mut Response, code: Option<Code>) {
        if let Some(code) = code {
            response.add(REQUEST_ID, self.number.to_string());
            self.metrics.refusals[code as usize].fetch_add(1, Ordering::Relaxed);
        }
        if let Some((line, clock)) = &self.line {
            let (status, problem) = (response.status().as_u16(), code.map_or("", |code| code.row().slug));
            tracing::debug!(request = self.number, status, ms = clock.now().millis(), problem, "{line}");
        }
    }
}

impl Drop for InFlightRequest {
    fn drop(&mut self) {
        self.metrics.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}
