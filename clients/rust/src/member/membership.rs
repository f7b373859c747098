//! Keeps the seat until the end: reads the mailbox, and takes the seat again whenever it is lost.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::core::Core;
use super::poll::{Poll, Stop};
use super::session::Patience;
use crate::wire::backoff::{backoff, bounded, retry_delay};
use crate::{Ending, Error, State};

pub(crate) async fn keep(core: Arc<Core>, wait_max: Duration) {
    let mut poll = Poll::new(core.clone(), wait_max);
    let mut rejoins = 0;
    loop {
        core.seated.send_replace(true);
        let stop = spell(&core, &mut poll).await;
        core.seated.send_replace(false);
        if let Stop::Over(ending) = stop {
            core.end(ending, None, false);
            return;
        }
        if std::mem::take(&mut poll.delivered) {
            rejoins = 0;
        }
        if let Err(error) = come_back(&core, rejoins).await {
            let ending = if error.slug() == Some("kicked") { Ending::Kicked } else { Ending::Closed };
            core.end(ending, Some(error), false);
            return;
        }
        rejoins += 1;
    }
}

/// Polls until that ends, or until the outbox finds the seat lost.
async fn spell(core: &Arc<Core>, poll: &mut Poll) -> Stop {
    let mut seated = core.seated.subscribe();
    let mut polling = pin!(poll.run());
    loop {
        let deadline = core.roster().next_deadline();
        tokio::select! {
            stop = &mut polling => return stop,
            _ = seated.wait_for(|seated| !seated) => return Stop::Lost,
            () = until(deadline) => {
                let events = core.roster().elapsed(Instant::now());
                core.tell(events);
            }
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

async fn come_back(core: &Arc<Core>, rejoins: u32) -> Result<(), Error> {
    core.changed(State::Reconnecting, None);
    // Back off if the last seat was lost before a poll succeeded.
    if rejoins > 0 {
        tokio::time::sleep(backoff(rejoins)).await;
    }
    let patience = Patience { delay_of: &mut rejoin_delay, wanted: None };
    let joined = core.session.enter(patience).await?;
    // Without the file the next process is another peer; this one is not affected.
    let _ = core.session.keep();
    core.entered(&joined);
    core.changed(State::Connected, None);
    Ok(())
}

/// A member that lost its seat waits until one is free; a newcomer is told that the room is full.
fn rejoin_delay(error: &Error, failures: u32) -> Option<Duration> {
    match error {
        Error::Problem(problem) if problem.slug == "room-full" => {
            let ms = problem.document.get("frees_in_ms").and_then(Value::as_f64).filter(|ms| *ms >= 0.0);
            let wait = ms
                .map_or(Duration::from_secs(5), |ms| Duration::try_from_secs_f64(ms / 1000.0).unwrap_or(Duration::MAX));
            Some(bounded(wait.max(Duration::from_secs(1))))
        }
        error => retry_delay(error, failures),
    }
}
