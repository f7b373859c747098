//! Sends one request at a time, so that messages to a peer arrive in the order in which they were put.
//!
//! Messages that are put meanwhile form the next batch. Only a final refusal drops a message.

use std::sync::Arc;

use reqwest::Method;
use tokio::time::Instant;
use uuid::Uuid;

use super::core::Core;
use super::poll::loses_seat;
use crate::wire::backoff::retry_delay;
use crate::wire::http::Request;
use crate::{Error, Receipt, Silence};

pub(crate) async fn run(core: Arc<Core>) {
    loop {
        // Messages that are put before this task turns form one batch.
        tokio::task::yield_now().await;
        let begun = core.outbox().begin(Instant::now());
        if begun {
            deliver(&core).await;
            core.sent.notify_one();
        } else {
            changed(&core).await;
        }
    }
}

/// Returns when a message may have become sendable.
async fn changed(core: &Core) {
    let next_try = core.outbox().next_try();
    match next_try {
        None => core.more.notified().await,
        Some(at) => {
            let _ = tokio::time::timeout_at(at, core.more.notified()).await;
        }
    }
}

/// Repeats the batch, under one key, until it is accepted or refused.
async fn deliver(core: &Core) {
    let key = Uuid::new_v4().to_string();
    let mut seated = core.seated.subscribe();
    let mut failures = 0;
    loop {
        let _ = seated.wait_for(|seated| *seated).await;
        let error = match post(core, &key).await {
            Ok(receipts) => return core.outbox().accepted(receipts),
            Err(error) => error,
        };
        if loses_seat(&error) {
            core.seated.send_replace(false);
        } else if settle(core, &error) {
            return;
        } else {
            tokio::time::sleep(retry_delay(&error, failures).unwrap_or_default()).await;
        }
        failures += 1;
    }
}

async fn post(core: &Core, key: &str) -> Result<Vec<Receipt>, Error> {
    let mut request = Request::new(Method::POST, core.session.at.outbox());
    request.token = core.session.seat().map(|seat| seat.token);
    request.body = Some(core.outbox().body());
    request.key = Some(key.to_owned());
    request.expects = Some("accepted");
    let mut answer = core.session.http.ask(&request).await?;
    serde_json::from_value(answer.body["accepted"].take()).map_err(|_| Error::silence(Silence::Foreign))
}

/// Is an error final for this batch? A batch that was refused because of one message is split.
fn settle(core: &Core, error: &Error) -> bool {
    let delay = retry_delay(error, 0);
    let is_full = error.slug() == Some("mailbox-full");
    if delay.is_some() && !is_full {
        return false;
    }
    let mut outbox = core.outbox();
    if outbox.split() {
    } else if is_full {
        outbox.block(Instant::now() + delay.unwrap_or_default());
    } else {
        outbox.refused(error);
    }
    true
}
