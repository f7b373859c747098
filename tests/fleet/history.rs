//! A history of all clients in one order: they record what they see, and the checker judges it afterwards.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// A client, by number.
pub type Who = usize;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// About to be sent for the first time.
    Posted {
        from: Who,
        to: Who,
        number: u64,
    },
    Accepted {
        from: Who,
        to: Who,
        number: u64,
        seq: u64,
    },
    /// The server refused it permanently.
    Refused {
        from: Who,
        to: Who,
        number: u64,
        why: String,
    },
    Delivered {
        to: Who,
        from: Who,
        number: u64,
        seq: u64,
    },
    /// An event: a numbered entry that is not a message.
    Told {
        to: Who,
        seq: u64,
    },
    /// Has a seat, and reads from here.
    Seated {
        who: Who,
        cursor: u64,
    },
    /// Was told that its seat, mailbox or cursor is lost.
    Loud {
        who: Who,
        what: String,
    },
}

#[derive(Default)]
pub struct History {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    events: Vec<(Instant, Event)>,
    /// When each undelivered message was posted.
    under_way: HashMap<(Who, Who, u64), Instant>,
    /// How long each delivered message took from its first `POST`, and when it was delivered.
    taken: Vec<(Instant, Duration)>,
}

impl History {
    pub fn note(&self, event: Event) {
        self.note_all([event]);
    }

    /// Events learned from one response.
    pub fn note_all(&self, events: impl IntoIterator<Item = Event>) {
        let now = now();
        let mut inner = self.inner.lock();
        for event in events {
            match event {
                Event::Posted { from, to, number } => {
                    inner.under_way.insert((from, to, number), now);
                }
                Event::Refused { from, to, number, .. } => {
                    inner.under_way.remove(&(from, to, number));
                }
                Event::Delivered { from, to, number, .. } => {
                    if let Some(posted) = inner.under_way.remove(&(from, to, number)) {
                        inner.taken.push((now, now - posted));
                    }
                }
                _ => {}
            }
            inner.events.push((now, event));
        }
    }

    /// Messages neither delivered nor refused yet.
    pub fn under_way(&self) -> usize {
        self.inner.lock().under_way.len()
    }

    /// How many messages have been delivered.
    pub fn delivered(&self) -> usize {
        self.inner.lock().taken.len()
    }

    pub fn events(&self) -> Vec<Event> {
        self.inner.lock().events.iter().map(|(_, event)| event.clone()).collect()
    }

    /// Median, 99th percentile and maximum for messages delivered from then on.
    pub fn taken_since(&self, since: Instant) -> [Duration; 3] {
        let inner = self.inner.lock();
        let mut taken: Vec<Duration> =
            inner.taken.iter().filter(|(at, _)| *at >= since).map(|(_, took)| *took).collect();
        taken.sort_unstable();
        let nth = |share: f64| {
            let index = (taken.len() as f64 * share) as usize;
            taken.get(index.min(taken.len().saturating_sub(1))).copied().unwrap_or_default()
        };
        [nth(0.5), nth(0.99), nth(1.0)]
    }
}

pub fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a test that measures how long messages take")]
    Instant::now()
}
