//! A client that behaves like ours: it joins with a key, polls with its cursor, repeats one post at a time under its key until it is
//! answered, and takes its seat again when it has lost it. It records what it sees.

use std::{sync::Arc, time::Duration};

use reqwest::Client;
use serde_json::{Value, json};
use tokio::{
    sync::{Notify, watch},
    time::sleep,
};
use uuid::Uuid;

use crate::{
    answers::{Reply, ask, backoff},
    history::{Event, History, Who},
};

/// The wait of a poll; shorter than the default, so that a scenario has many.
const HOLD: Duration = Duration::from_secs(8);
/// How much longer the client waits for the response.
const GRACE: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(15);
/// Messages in one request, at most.
const BATCH: u64 = 3;

#[derive(Clone, Debug)]
pub struct Seat {
    pub id: String,
    token: String,
}

pub struct Member {
    pub who: Who,
    /// The recipient.
    pub other: Who,
    room: String,
    base: String,
    page: String,
    http: Client,
    history: Arc<History>,
    /// `None` while it has no seat.
    seat: watch::Sender<Option<Seat>>,
    /// A post was told that the seat is lost.
    lost: Notify,
}

impl Member {
    pub fn new(who: Who, base: String, http: Client, history: Arc<History>) -> Self {
        let (room, page) = (format!("room-{}", who / 2), format!("page-{who}"));
        Self {
            who,
            other: who ^ 1,
            room,
            base,
            page,
            http,
            history,
            seat: watch::Sender::new(None),
            lost: Notify::new(),
        }
    }

    /// Takes a seat for the first time, and returns the cursor to read from.
    pub async fn arrive(&self) -> u64 {
        let (_, joined) = self.enter(None).await;
        let cursor = joined["cursor"].as_u64().unwrap();
        self.history.note(Event::Seated { who: self.who, cursor });
        cursor
    }

    pub async fn seated(&self) -> Seat {
        self.seat.subscribe().wait_for(Option::is_some).await.unwrap().clone().unwrap()
    }

    fn url(&self, rest: &str) -> String {
        format!("{}/v1/rooms/{}{rest}", self.base, self.room)
    }

    /// Joins, until it is let in.
    async fn enter(&self, token: Option<&str>) -> (u16, Value) {
        let key = Uuid::new_v4().to_string();
        let mut failures = 0;
        loop {
            let body = json!({"name": format!("{}", self.who), "page": self.page});
            let request =
                self.http.post(self.url("/peers")).timeout(PATIENCE).header("idempotency-key", &key).json(&body);
            let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
            let reply = ask(request, "token").await;
            if let Reply::Yes { status, body } = reply {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                self.seat.send_replace(Some(Seat { id: text(&body["peer"]["id"]), token: text(&body["token"]) }));
                return (status, body);
            }
            // A full room has a free seat eventually; other permanent errors are recorded.
            let pause = reply.retry(failures).unwrap_or_else(|| {
                if let Reply::No { slug, .. } = &reply {
                    self.history.note(Event::Loud { who: self.who, what: slug.clone() });
                }
                Duration::from_secs(1)
            });
            failures += 1;
            sleep(pause).await;
        }
    }

    /// Reads its mailbox, until it is told to stop.
    pub async fn read(&self, mut cursor: u64, mut stop: watch::Receiver<bool>) {
        tokio::select! {
            () = self.read_on(&mut cursor) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    async fn read_on(&self, cursor: &mut u64) {
        let (mut failures, mut rejoins) = (0, 0);
        loop {
            let wait = if failures > 0 { Duration::ZERO } else { HOLD };
            let reply = tokio::select! {
                reply = self.poll(*cursor, wait) => reply,
                () = self.lost.notified() => {
                    self.come_back(cursor, &mut rejoins).await;
                    continue;
                }
            };
            if let Some(slug) = reply.unseats() {
                self.history.note(Event::Loud { who: self.who, what: slug.to_owned() });
                self.come_back(cursor, &mut rejoins).await;
                continue;
            }
            if let Reply::Yes { body, .. } = reply {
                (failures, rejoins) = (0, 0);
                *cursor = self.receive(*cursor, &body);
            } else {
                sleep(reply.retry(failures).unwrap_or_else(|| backoff(failures))).await;
                failures += 1;
            }
        }
    }

    async fn poll(&self, cursor: u64, wait: Duration) -> Reply {
        let seat = self.seated().await;
        let path = format!("/peers/{}/messages?wait={}&page={}", seat.id, wait.as_secs(), self.page);
        let request = self.http.get(self.url(&path)).timeout(wait + GRACE).bearer_auth(&seat.token);
        ask(request.header("last-event-id", cursor), "messages").await
    }

    /// Records a batch, and returns its cursor.
    fn receive(&self, cursor: u64, batch: &Value) -> u64 {
        let mut last = cursor;
        let events = batch["messages"].as_array().unwrap().iter().map(|message| {
            let seq = message["seq"].as_u64().unwrap();
            last = seq;
            match message["data"]["number"].as_u64() {
                Some(number) => Event::Delivered { to: self.who, from: self.other, number, seq },
                None => Event::Told { to: self.who, seq },
            }
        });
        self.history.note_all(events.collect::<Vec<_>>());
        let stated = batch["cursor"].as_u64().unwrap();
        if stated != last {
            // The checker will see the gap.
            self.history.note(Event::Told { to: self.who, seq: stated.max(last + 2) });
        }
        stated
    }

    async fn come_back(&self, cursor: &mut u64, rejoins: &mut u32) {
        let seat = self.seat.send_replace(None);
        if *rejoins > 0 {
            sleep(backoff(*rejoins)).await;
        }
        *rejoins += 1;
        let (status, joined) = self.enter(seat.map(|seat| seat.token).as_deref()).await;
        // If the old cursor lies in this mailbox, nothing has changed; otherwise it reads from the new cursor.
        let [from, latest] = ["cursor", "latest"].map(|name| joined[name].as_u64().unwrap());
        if status != 200 || !(from..=latest).contains(cursor) {
            *cursor = from;
        }
        self.history.note(Event::Seated { who: self.who, cursor: *cursor });
    }

    /// Posts numbered messages at about this rate until it is told to stop.
    pub async fn write(&self, to: String, per_second: f64, stop: watch::Receiver<bool>) {
        let mut next = 0;
        let stopped = || *stop.borrow();
        while !stopped() {
            let count = fastrand::u64(1..=BATCH);
            self.post(&to, next..next + count).await;
            next += count;
            sleep(Duration::from_secs_f64(2.0 * fastrand::f64() * count as f64 / per_second)).await;
        }
    }

    /// Repeats the same bytes under the same key until the server answers.
    async fn post(&self, to: &str, numbers: std::ops::Range<u64>) {
        let (from, addressee) = (self.who, self.other);
        self.history.note_all(numbers.clone().map(|number| Event::Posted { from, to: addressee, number }));
        let messages: Vec<Value> =
            numbers.clone().map(|number| json!({"to": to, "type": "data", "data": {"number": number}})).collect();
        let (key, body) = (Uuid::new_v4().to_string(), json!({ "messages": messages }).to_string());
        for failures in 0.. {
            let seat = self.seated().await;
            let request = self.http.post(self.url("/messages")).timeout(PATIENCE).bearer_auth(&seat.token);
            let request = request.header("idempotency-key", &key).header("content-type", "application/json");
            let reply = ask(request.body(body.clone()), "accepted").await;
            if let Reply::Yes { body, .. } = &reply {
                let places = body["accepted"].as_array().unwrap().iter().map(|place| place["seq"].as_u64().unwrap());
                let accepted = numbers.zip(places);
                let event = |(number, seq)| Event::Accepted { from, to: addressee, number, seq };
                return self.history.note_all(accepted.map(event).collect::<Vec<_>>());
            }
            if let Some(slug) = reply.unseats() {
                self.history.note(Event::Loud { who: self.who, what: slug.to_owned() });
                if self.seat.borrow().is_some() {
                    self.lost.notify_one();
                }
                sleep(backoff(0)).await;
                continue;
            }
            let Some(pause) = reply.retry(failures) else {
                let Reply::No { slug, .. } = reply else { return };
                let refused = |number| Event::Refused { from, to: addressee, number, why: slug.clone() };
                self.history.note_all(numbers.map(refused).collect::<Vec<_>>());
                return sleep(Duration::from_millis(200)).await;
            };
            sleep(pause).await;
        }
    }
}
