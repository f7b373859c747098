//! Long-polls a mailbox until something ends that.
//!
//! Each batch is delivered before its cursor is sent, because the cursor is the acknowledgement. It is delivered in one step, so dropping a
//! poll half-way loses and doubles nothing.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use tokio::time::Instant;
use uuid::Uuid;

use super::core::Core;
use crate::wire::backoff::{backoff, retry_delay};
use crate::wire::hold::{Hold, OPEN};
use crate::wire::http::{Failure, Request};
use crate::wire::stale::{Batch, Dates};
use crate::{Ending, Error, Silence, State};

/// An empty response that arrived sooner than this was not held.
const HASTY: Duration = Duration::from_secs(1);
/// How long the server may take beyond a poll's hold before the poll counts as lost.
const GRACE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The seat is gone, or may be.
    Lost,
    Over(Ending),
}

/// Does an error of a poll end polling? None if it only calls for a pause.
fn stop_of(error: &Error) -> Option<Stop> {
    let Error::Problem(problem) = error else { return None };
    match (problem.slug.as_str(), problem.status) {
        ("poll-superseded", _) => Some(Stop::Over(Ending::Superseded)),
        ("kicked", _) => Some(Stop::Over(Ending::Kicked)),
        ("room-closed", _) => Some(Stop::Over(Ending::Closed)),
        ("cursor-ahead", _) | (_, 401 | 403 | 404 | 410) => Some(Stop::Lost),
        _ => None,
    }
}

/// Some proxies replace 404 and 410 by pages of their own. Such a page may mean that the seat is gone, and joining tells: if it is not, nothing
/// is lost.
fn is_page_for_gone(error: &Error) -> bool {
    matches!(error, Error::Unreachable(unreachable) if matches!(unreachable.status, Some(404 | 410)))
}

/// Does the server no longer know the sender of a message? (An unknown recipient is something else.)
pub(crate) fn loses_seat(error: &Error) -> bool {
    error.slug() != Some("peer-unknown") && stop_of(error).is_some()
}

pub(crate) struct Poll {
    core: Arc<Core>,
    hold: Hold,
    /// Consecutive failures, and consecutive empty responses that were not held.
    failures: u32,
    hasty: u32,
    dates: Dates,
    /// When the latest request was sent, and for how long it asked to be held.
    asked: Instant,
    wait: Duration,
    /// Asks for no hold, to learn at once whether the server is back.
    probing: bool,
    /// The age at which a gateway ended the last poll. If the server is there, it was because the poll was idle.
    ended_at: Option<Duration>,
    /// A cache has responded, so each request gets a URL of its own.
    unique: bool,
    /// Something was received since this was set to false.
    pub(crate) delivered: bool,
}

impl Poll {
    pub(crate) fn new(core: Arc<Core>, wait_max: Duration) -> Self {
        let hold = Hold::new(wait_max);
        Self {
            core,
            hold,
            failures: 0,
            hasty: 0,
            dates: Dates::default(),
            asked: Instant::now(),
            wait: Duration::ZERO,
            probing: false,
            ended_at: None,
            unique: false,
            delivered: false,
        }
    }

    pub(crate) async fn run(&mut self) -> Stop {
        // By the poll before the next one.
        let mut acknowledged = self.core.roster().cursor;
        loop {
            let failed = self.next(&mut acknowledged).await.err();
            if let State::Ended(ending) = self.core.state() {
                return Stop::Over(ending);
            }
            let Some(Failure::Failed(error)) = failed else { continue };
            let gone = || (self.failures > 0 && is_page_for_gone(&error)).then_some(Stop::Lost);
            match stop_of(&error).or_else(gone) {
                Some(stop) => {
                    self.ended_at = None;
                    return stop;
                }
                None => self.failed(error, self.asked.elapsed()).await,
            }
        }
    }

    /// Asks for no more than the program has room for.
    async fn next(&mut self, acknowledged: &mut u64) -> Result<(), Failure> {
        let often = self.core.lease / 3;
        // After a failure, the server is to hear from this member soon.
        let mut pause = if self.failures > 0 { Duration::ZERO } else { often };
        while !self.core.has_room(pause).await {
            // Acknowledges nothing, and keeps the seat.
            pause = match self.read(Duration::ZERO, *acknowledged).await {
                Ok(_) => {
                    self.reached();
                    often
                }
                Err(Failure::Doubted) => Duration::ZERO,
                Err(failure) => return Err(failure),
            };
        }
        let (wait, cursor) = (if self.probing { Duration::ZERO } else { self.hold.wait }, self.core.roster().cursor);
        *acknowledged = cursor;
        let batch = self.read(wait, cursor).await?;
        self.took(batch, wait, self.asked.elapsed()).await;
        Ok(())
    }

    async fn read(&mut self, wait: Duration, cursor: u64) -> Result<Batch, Failure> {
        (self.asked, self.wait) = (Instant::now(), wait);
        let unique = self.unique.then(|| Uuid::new_v4().to_string());
        let seat = self.core.session.seat().ok_or(Failure::Failed(Error::Ended(Ending::Closed)))?;
        let mut request = Request::new(Method::GET, self.core.session.at.mailbox(&seat.peer, wait, unique.as_deref()));
        request.token = Some(seat.token);
        request.cursor = Some(cursor);
        request.expects = Some("messages");
        request.timeout = wait + GRACE;
        let answer = self.core.session.http.send(&request).await?;
        let batch = Batch::read(answer.body, cursor);
        let repeated = batch.is_some() && self.dates.is_repeated(answer.date, std::time::Instant::now());
        batch.filter(|_| !repeated).ok_or_else(|| Failure::Failed(Error::silence(Silence::Stale)))
    }

    /// Returns whether that taught how long to hold: the poll before was ended by a gateway, and the server is there.
    fn reached(&mut self) -> bool {
        self.probing = false;
        self.failures = 0;
        let ended_at = self.ended_at.take();
        if let Some(age) = ended_at {
            self.hold.timed_out(age);
        }
        self.core.changed(State::Connected, None);
        ended_at.is_some()
    }

    async fn took(&mut self, batch: Batch, wait: Duration, age: Duration) {
        let probed = self.probing;
        if !self.reached() && !wait.is_zero() {
            self.hold.answered(age);
        }
        let is_empty = batch.messages.is_empty();
        self.delivered = true;
        self.core.received(batch).await;
        if self.core.is_over() {
            return;
        }
        // If an intermediary strips `wait` or responds from a cache, this must not become a flood of requests.
        let hasty = !probed && is_empty && age < HASTY;
        self.hasty = if hasty { self.hasty + 1 } else { 0 };
        self.unique |= hasty;
        if hasty {
            tokio::time::sleep(backoff(self.hasty)).await;
        }
    }

    async fn failed(&mut self, error: Error, age: Duration) {
        let reason = if let Error::Unreachable(unreachable) = &error { Some(unreachable.reason) } else { None };
        match reason {
            Some(Silence::Gateway) if age >= OPEN && !self.wait.is_zero() => {
                // Or it cannot reach the server, and took its time to say so. The next request tells.
                self.ended_at = Some(age);
                self.probing = true;
                return;
            }
            Some(_) if !self.wait.is_zero() => self.hold.cut(age),
            _ => {}
        }
        self.ended_at = None;
        let is_stale = reason == Some(Silence::Stale);
        let is_limited = error.slug() == Some("rate-limited");
        self.unique |= is_stale;
        let pause = retry_delay(&error, self.failures).unwrap_or_else(|| backoff(self.failures));
        if !is_limited {
            self.core.changed(State::Reconnecting, Some(error));
        }
        self.failures += 1;
        // A cache says nothing about the server, and a refusal shows that it is up.
        self.probing = !is_stale && !is_limited;
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::Problem;

    fn problem(slug: &str, status: u16) -> Error {
        let document = Map::from_iter([("type".to_owned(), format!("/problems/{slug}").into())]);
        Error::Problem(Problem::new(document, status, None))
    }

    #[test]
    fn what_a_refusal_says_about_the_seat() {
        for (slug, status, stop) in [
            ("peer-gone", 410, Some(Stop::Lost)),
            ("cursor-gone", 410, Some(Stop::Lost)),
            ("cursor-ahead", 409, Some(Stop::Lost)),
            ("room-unknown", 404, Some(Stop::Lost)),
            ("token-invalid", 401, Some(Stop::Lost)),
            ("poll-superseded", 409, Some(Stop::Over(Ending::Superseded))),
            ("kicked", 403, Some(Stop::Over(Ending::Kicked))),
            ("room-closed", 410, Some(Stop::Over(Ending::Closed))),
            ("rate-limited", 429, None),
            ("draining", 503, None),
        ] {
            assert_eq!(stop_of(&problem(slug, status)), stop, "{slug}");
            assert_eq!(loses_seat(&problem(slug, status)), stop.is_some());
        }
        assert!(!loses_seat(&problem("peer-unknown", 404)));
        assert_eq!(stop_of(&Error::silence(Silence::Foreign)), None);
    }
}
